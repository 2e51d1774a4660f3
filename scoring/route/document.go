package route

import "strings"

// documentOperation is the name of a GraphQL document's operation, or its type
// and first field where it has no name; of several, "batch"; empty where it is
// no document. Fragments may stand around it.
func documentOperation(s string) string {
	name, depth := "", 0
	head := false // between an operation's or a fragment's name and its selection
	bare := false // the name is a type, and its selection is to come
	for s = afterBlank(s); s != ""; s = afterBlank(s) {
		switch c := s[0]; {
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
				if s = afterBlank(s); s != "" && isName(s[0]) {
					name, s = cutName(s)
					s, bare = afterBlank(s), false
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
	name, rest := cutName(afterBlank(s))
	if field, ok := strings.CutPrefix(afterBlank(rest), ":"); ok {
		name, _ = cutName(afterBlank(field))
	}
	return name
}

// afterBlank is what follows what has no meaning, comments among it.
func afterBlank(s string) string {
	for {
		s = strings.TrimLeft(s, " \t\r\n,\ufeff")
		if !strings.HasPrefix(s, "#") {
			return s
		}
		s = s[max(strings.IndexAny(s, "\r\n"), 0):]
		if s[0] == '#' { // up to the end
			return ""
		}
	}
}

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
	if block, ok := strings.CutPrefix(s, `"""`); ok {
		for {
			text, rest, _ := strings.Cut(block, `"""`)
			if !strings.HasSuffix(text, `\`) { // the one escape in a block
				return rest
			}
			block = rest
		}
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"', '\n', '\r':
			return s[i+1:]
		}
	}
	return ""
}
