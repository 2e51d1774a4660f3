package demo

import "fmt"

// habit is how a customer uses the API.
type habit uint8

const (
	office habit = iota // people at office hours, every day
	system              // an integration that polls round the clock
	shop                // the same, and takes part in marketing campaigns
	fleet               // machines that ask for the same orders over and over, in bursts
	batch               // reads the export, once a night
)

// customer is one caller of the sample API. Everything about it follows from
// its place in the list, so every telling has the same cast.
type customer struct {
	Name    string
	Key     string // its API key
	Network string // its /24, "198.18.7"
	Agent   string // the program it calls with
	Habit   habit
	Page    int // records it asks for in a list
	index   int
}

// victim is the customer whose key is stolen.
const victim = 0

// The cast. A prefix of the key is the customer's, as keys often have it, so
// that wonted can name the caller without keeping the key.
var cast = []struct {
	name, prefix string
	habit        habit
}{
	{"Brightwater Logistics", "brightwater", office},
	{"Alder & Finch", "alderfinch", office},
	{"Copperfield Insurance", "copperfield", office},
	{"Dunmore Legal", "dunmore", office},
	{"Eastgate Clinics", "eastgate", office},
	{"Fernhill Schools", "fernhill", office},
	{"Glenbrook Estates", "glenbrook", office},
	{"Harrow & Pike", "harrowpike", office},
	{"Ivybridge Council", "ivybridge", office},
	{"Juniper Travel", "juniper", office},
	{"Kestrel Advisory", "kestrel", office},
	{"Larkspur Media", "larkspur", office},
	{"Millrace Brewing", "millrace", office},
	{"Norwood Printing", "norwood", office},

	{"Oakline Warehousing", "oakline", system},
	{"Pinecrest Freight", "pinecrest", system},
	{"Quayside Shipping", "quayside", system},
	{"Redstone Telemetry", "redstone", fleet},
	{"Saltmarsh Energy", "saltmarsh", fleet},
	{"Thornbury Parts", "thornbury", system},
	{"Umber Robotics", "umber", fleet},
	{"Valecrest Couriers", "valecrest", system},
	{"Westlake Cold Chain", "westlake", fleet},

	{"Amberly Shoes", "amberly", shop},
	{"Basil & Thyme", "basilthyme", shop},
	{"Cobalt Cycles", "cobalt", shop},
	{"Dapper Fox", "dapperfox", shop},
	{"Elmwood Toys", "elmwood", shop},
	{"Fable Books", "fable", shop},
	{"Goldcrest Tea", "goldcrest", shop},
	{"Hazel Home", "hazelhome", shop},
	{"Indigo Prints", "indigo", shop},
	{"Jubilee Cakes", "jubilee", shop},
	{"Kingfisher Outdoor", "kingfisher", shop},
	{"Lumen Lamps", "lumen", shop},
	{"Marigold Garden", "marigold", shop},
	{"Nimbus Audio", "nimbus", shop},

	{"Northgate Analytics", "northgate", batch},
	{"Orchard Tax", "orchardtax", batch},
}

// customers returns the cast.
func customers() []customer {
	list := make([]customer, len(cast))
	for i, member := range cast {
		c := customer{
			Name:    member.name,
			Key:     fmt.Sprintf("%s_live_%016x", member.prefix, uint64(i+1)*0x9e3779b97f4a7c15),
			Network: fmt.Sprintf("198.18.%d", i+1),
			Habit:   member.habit,
			index:   i,
		}
		switch c.Habit {
		case office:
			c.Agent, c.Page = fmt.Sprintf("%s-desk/3.%d (Windows NT 10.0)", member.prefix, i%7), 10
		case system, shop:
			c.Agent, c.Page = fmt.Sprintf("%s-sync/1.%d Go-http-client/2.0", member.prefix, i%9), 20+5*(i%4)
		case fleet:
			c.Agent, c.Page = fmt.Sprintf("%s-gateway/4.%d", member.prefix, i%5), 25
		case batch:
			c.Agent, c.Page = "python-requests/2.32 warehouse-loader", 0
		}
		list[i] = c
	}
	return list
}

// request is one call of the API, live or in the history.
type request struct {
	Path  string
	Key   string
	From  string // the caller's address, as the load balancer in front tells it
	Agent string
}

// by is a request of the customer from one of its machines.
func (c customer) by(path string, machine int) request {
	return request{Path: path, Key: c.Key, From: fmt.Sprintf("%s.%d", c.Network, 20+machine), Agent: c.Agent}
}
