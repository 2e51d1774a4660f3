package admin

import (
	"encoding/json"
	"net/http"
)

// Refusal is the answer where something cannot be done as asked. Its JSON names
// are a contract.
type Refusal struct {
	Error string `json:"error"`
	Hint  string `json:"hint"`
}

// JSON answers with status and answer.
func JSON(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("content-type", "application/json")
	w.Header().Set("cache-control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may have gone
}

// Refuse answers that it cannot be done, and what to do about that.
func Refuse(w http.ResponseWriter, status int, why, hint string) { JSON(w, status, Refusal{why, hint}) }

// maxBody is more than any question needs.
const maxBody = 64 << 10

// Body reads the JSON body of a request into v, strictly: unknown names are
// mistakes. Where it cannot, it has answered, and is false.
func Body(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil && d.More() {
		Refuse(w, http.StatusBadRequest, "something follows the JSON object", "send one object")
		return false
	}
	if err != nil {
		Refuse(w, http.StatusBadRequest, "the body cannot be read: "+err.Error(), "send one JSON object of at most 64 KiB; GET /v1/ tells what there is")
		return false
	}
	return true
}
