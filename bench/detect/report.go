package detect

import (
	"encoding/json"
	"io"
)

// ReportVersion is the version of the report's JSON.
const ReportVersion = 1

// Report is what a run found. Its JSON names are a contract. It depends on the
// configuration alone: the same seed gives the same bytes.
type Report struct {
	Version    int    `json:"version"`
	Partial    bool   `json:"partial"` // it was interrupted
	Seed       uint64 `json:"seed"`
	Identities int    `json:"identities"`
	Days       int    `json:"days"`
	Training   int    `json:"training_days"`
	Lasting    int    `json:"lasting_days"` // of what takes days, from the end of training
	Exchanges  int64  `json:"exchanges"`    // benign, of all days
	Windows    int    `json:"windows"`      // benign, of the evaluation days
	RunsEach   int    `json:"runs_each"`    // of a scenario, asked for

	Classes     []ClassReport `json:"classes"`
	Calibration []Curve       `json:"calibration"`
	Budget      Budget        `json:"budget"`
	Harm        Harm          `json:"harm"`
	Controller  Controller    `json:"controller"`
	Thresholds  []Threshold   `json:"thresholds"`
	Null        Null          `json:"null"`
	Scenarios   []Result      `json:"scenarios"`
	NotBeaten   []NotBeaten   `json:"not_beaten"`
	Informed    []Informed    `json:"informed"`
}

// ClassReport is how much traffic a class made.
type ClassReport struct {
	Name       string `json:"name"`
	Identities int    `json:"identities"`
	Exchanges  int64  `json:"exchanges"` // all days
	Windows    int    `json:"windows"`   // evaluation days
}

// Interval is an estimate with its 95 % interval.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Curve is how often windows of one group reached a score, over how often they
// should: 1 is calibrated, more is too many alarms.
type Curve struct {
	By      string  `json:"by"` // all, class, cohort (wonted's own), maturity, day
	Group   string  `json:"group"`
	Windows int     `json:"windows"`
	Points  []Point `json:"points"`
}

// Point is one score on a curve: windows at or above it should be a share of Nominal.
type Point struct {
	Nominal  float64  `json:"nominal"`
	Observed int      `json:"observed"` // windows
	Ratio    Interval `json:"ratio"`    // observed/nominal
}

// Budget is how the alert budget was kept: identity-days with an alert, of mature
// identities, per 1,000.
type Budget struct {
	Target       float64  `json:"target"`
	Realised     Interval `json:"realised"`
	IdentityDays int      `json:"identity_days"`
	Alerted      int      `json:"alerted"`
	Worst        struct {
		Day     int     `json:"day"` // from 0
		Alerted int     `json:"alerted"`
		Per1000 float64 `json:"per_1000"`
	} `json:"worst_day"`
	By map[string]int `json:"alerted_by"` // "class: detector that the evidence of the day's first alert began with"
}

// Harm is what enforcing would have done to benign callers.
type Harm struct {
	Exchanges  int64   `json:"exchanges"` // benign, judged in the evaluation days
	Anomalous  int64   `json:"anomalous"`
	PerMillion float64 `json:"anomalous_per_million"` // exchanges
	Callers    float64 `json:"callers_per_million"`   // disturbed by either, each once a day, per million exchanges
	Cut        float64 `json:"cut_per_million"`       // answers that were not anomalous, and that a response budget would have ended
}

// Controller is how wonted's calibration stood at the end.
type Controller struct {
	MeanE     float64 `json:"mean_e"`        // of benign windows of the evaluation: 1 or less if calibrated
	Windows   int64   `json:"windows"`       // of them, those that were judged among peers
	Mature    float64 `json:"threshold"`     // score from which mature identities alert
	New       float64 `json:"threshold_new"` // and new ones
	Campaigns int64   `json:"campaigns"`     // found in benign traffic
	Learning  bool    `json:"learning"`      // most windows are not judged among peers yet
}

// Threshold is the score that a judge's benign windows reach no more often than
// the false-alarm rate allows.
type Threshold struct {
	Judge string  `json:"judge"`
	FAR   float64 `json:"far"`
	Score float64 `json:"score"` // above Most: it cannot be reached
	Most  float64 `json:"most"`  // of all benign windows
}

// Null is the control: benign windows played with the attack harness.
type Null struct {
	Windows int        `json:"windows"`
	Rates   []NullRate `json:"rates"`
}

// NullRate is how many of them reached the threshold of a false-alarm rate.
type NullRate struct {
	FAR     float64  `json:"far"`
	Reached int      `json:"reached"`
	Rate    Interval `json:"rate"`
}

// Result is one scenario's.
type Result struct {
	Name    string `json:"name"`
	Family  string `json:"family"`
	About   string `json:"about"`
	Benign  bool   `json:"benign"`
	HeldOut bool   `json:"held_out"`
	Twin    string `json:"twin,omitempty"`
	Runs    int    `json:"runs"`
	Skipped int    `json:"skipped"` // the victim had no history yet, or did nothing
	Asks    int    `json:"requests_median"`

	Found []Found `json:"found"` // by judge and false-alarm rate
	Stop  Stop    `json:"stop"`
	Top   Top     `json:"top_explanation"`
	Long  *Slow   `json:"long,omitempty"` // of what takes days

	Classes []ClassResult `json:"classes"` // the same by the victim's class, of wonted
}

// ClassResult is a scenario's result on victims of one class.
type ClassResult struct {
	Name    string    `json:"name"`
	Runs    int       `json:"runs"`
	Recall  []float64 `json:"recall"` // by false-alarm rate
	Stopped float64   `json:"stopped"`
}

// Slow is how long an attack of days lasted, until wonted's own threshold or the end.
type Slow struct {
	Days  Spread `json:"days"`  // until it was stopped, of those stopped
	Drift Spread `json:"drift"` // how far it had gone by then, in the scenario's unit
	Take  Spread `json:"take"`  // of all victims: stolen records a day, in multiples of the victim's normal
}

// Found is how often a judge found it at a false-alarm rate, and how late.
type Found struct {
	Judge    string   `json:"judge"`
	FAR      float64  `json:"far"`
	Recall   Interval `json:"recall"`
	Requests Spread   `json:"requests"` // until it was found, of those found
	Bytes    Spread   `json:"bytes"`
	Lost     Spread   `json:"records_lost"` // before the alarm, of all runs: everything where none came
}

// Stop is what enforcing would have saved, at wonted's own threshold.
type Stop struct {
	Stopped  Interval `json:"stopped"`
	Requests Spread   `json:"requests"`
	Records  Spread   `json:"records_lost"` // of all runs
	Bytes    Spread   `json:"bytes_lost"`
}

// Top says whether the first evidence was one of those that the scenario is about,
// at a false-alarm rate of 1e-3.
type Top struct {
	Right    int            `json:"right"`
	Of       int            `json:"of"`
	Detector map[string]int `json:"detectors"`
}

// Spread is median and 90th percentile.
type Spread struct {
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
}

// JSON writes the report as one object.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
