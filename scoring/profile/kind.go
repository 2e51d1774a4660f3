package profile

var kindNames = [KindCount]string{"", "caller", "credential", "session", "user", "address", "network", "device", "route", "login"}

// String is the kind's name in configuration, policies and reports; empty for
// KindNone and for what is no kind.
func (k Kind) String() string {
	if int(k) >= KindCount {
		return ""
	}
	return kindNames[k]
}

// ParseKind is the inverse of String for the real kinds.
func ParseKind(name string) (Kind, bool) {
	for k := KindCaller; int(k) < KindCount; k++ {
		if kindNames[k] == name {
			return k, true
		}
	}
	return KindNone, false
}

// fixed says that a kind's records are bounded in number by other means (4,096
// routes) and that everybody's baseline leans on them: strangers do not evict
// them.
func (k Kind) fixed() bool { return k == KindRoute || k == KindLogin }

// habitual says that a kind's tail is Habits.
func (k Kind) habitual() bool { return KindCaller <= k && k <= KindUser }
