//go:build unix && !linux && !race

package profile

const mapNoReserve = 0
