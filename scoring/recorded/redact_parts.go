package recorded

// Header is a header's value as it may be kept; names are in lower case.
func (r *Redactor) Header(name, value string) string {
	return string(r.header(nil, []byte(name), []byte(value)))
}

// Parameter is the value of a parameter, of a query, say, as it may be kept.
func (r *Redactor) Parameter(name, value string) string {
	if secretParameter([]byte(name), []byte(value), 0) {
		return string(r.hash(nil, []byte(value)))
	}
	return value
}

// URL is a URL, or a part of one, as it may be kept.
func (r *Redactor) URL(u string) string { return string(r.text(nil, []byte(u))) }

// Host is an authority as it may be kept.
func (r *Redactor) Host(h string) string { return string(r.host(nil, []byte(h))) }
