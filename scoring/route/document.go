package route

import "strings"

// documentOperation is the name of a GraphQL document's operation, or its type
// and first field where it has no name; of several, "batch"; empty where it is
// no document. Fragments may stand around it.
func documentOperation(s string) string {
	name, depth := "", 0
	head := false // between an operation's or a fragment's name and its selection
	bare := false // the name is a type, and its selection is to come
	for s = strings.TrimLeft(s, graphQLBlank); s != ""; s = strings.TrimLeft(s, graphQLBlank) {
		switch c := s[0]; {
		case c == '#':
			_, s, _ = strings.Cut(s, "\n")
			continue
		case c == '"':
			s = afterString(s)
			continue
		case c == '{' && depth == 0:
			if !head && name == "" {
				name, bare = "query", true // the short form
			}
			if bare {
				if field := firstField(s[1:]); field != "" {
					name += "/" + field
				}
			}
			head, bare = false, false
			depth++
		case c == '{' || c == '(' || c == '[':
			depth++
		case c == '}' || c == ')' || c == ']':
			depth = max(depth-1, 0)
		case depth == 0 && !head:
			var kind string
			kind, s = cutName(s)
			switch kind {
			case "fragment":
			case "query", "mutation", "subscription":
				if name != "" {
					return Batch
				}
				name, bare = kind, true
				if s = strings.TrimLeft(s, graphQLBlank); s != "" && isName(s[0]) {
					name, s = cutName(s)
					s, bare = strings.TrimLeft(s, graphQLBlank), false
				}
				if s == "" || !strings.ContainsAny(s[:1], "{(@") {
					return "" // a text that begins alike
				}
			default:
				return ""
			}
			head = true
			continue
		}
		s = s[1:]
	}
	return name
}

// firstField is the first of a selection, by its own name where it has an alias;
// empty where that is a fragment's.
func firstField(s string) string {
	for s = strings.TrimLeft(s, graphQLBlank); strings.HasPrefix(s, "#"); s = strings.TrimLeft(s, graphQLBlank) {
		_, s, _ = strings.Cut(s, "\n")
	}
	name, rest := cutName(s)
	if field, ok := strings.CutPrefix(strings.TrimLeft(rest, graphQLBlank), ":"); ok {
		name, _ = cutName(strings.TrimLeft(field, graphQLBlank))
	}
	return name
}

const graphQLBlank = " \t\r\n,\ufeff"

func isName(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) || c == '_' }

func cutName(s string) (name, rest string) {
	i := 0
	for i < len(s) && isName(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

// afterString is what follows a string that begins here.
func afterString(s string) string {
	if rest, ok := strings.CutPrefix(s, `"""`); ok {
		_, rest, _ = strings.Cut(rest, `"""`)
		return rest
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"', '\n':
			return s[i+1:]
		}
	}
	return ""
}
