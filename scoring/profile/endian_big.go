//go:build armbe || arm64be || m68k || mips || mips64 || mips64p32 || ppc || ppc64 || s390 || s390x || shbe || sparc || sparc64

package profile

// A record in memory is the record in a file, and files are little-endian. On
// a big-endian host every profile would be read as nonsense: do not build there.
var _ = profiles_are_little_endian_and_this_processor_is_not
