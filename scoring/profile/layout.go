package profile

import "unsafe"

// The layout is a format: files hold it. These constants do not compile when
// an offset or a size moves (an unequal pair makes one of them negative).
const (
	_ = uint(RecordSize-unsafe.Sizeof(Record{})) + uint(unsafe.Sizeof(Record{})-RecordSize)

	_ = uint(64-unsafe.Sizeof(Header{})) + uint(unsafe.Sizeof(Header{})-64)
	_ = uint(64-unsafe.Offsetof(Record{}.Name)) + uint(unsafe.Offsetof(Record{}.Name)-64)
	_ = uint(88-unsafe.Offsetof(Record{}.Rings)) + uint(unsafe.Offsetof(Record{}.Rings)-88)
	_ = uint(272-unsafe.Offsetof(Record{}.Bytes)) + uint(unsafe.Offsetof(Record{}.Bytes)-272)
	_ = uint(296-unsafe.Offsetof(Record{}.Records)) + uint(unsafe.Offsetof(Record{}.Records)-296)
	_ = uint(320-unsafe.Offsetof(Record{}.Baseline)) + uint(unsafe.Offsetof(Record{}.Baseline)-320)
	_ = uint(440-unsafe.Offsetof(Record{}.Anchors)) + uint(unsafe.Offsetof(Record{}.Anchors)-440)
	_ = uint(464-unsafe.Offsetof(Record{}.Spreads)) + uint(unsafe.Offsetof(Record{}.Spreads)-464)
	_ = uint(472-unsafe.Offsetof(Record{}.tail)) + uint(unsafe.Offsetof(Record{}.tail)-472)

	tailSize = unsafe.Sizeof(Record{}.tail)
	_        = uint(tailSize-unsafe.Sizeof(Habits{})) + uint(unsafe.Sizeof(Habits{})-tailSize)
	_        = uint(tailSize-unsafe.Sizeof(Crowd{})) + uint(unsafe.Sizeof(Crowd{})-tailSize)
	_        = uint(tailSize-unsafe.Sizeof(Population{})) + uint(unsafe.Sizeof(Population{})-tailSize)

	_ = uint(192-unsafe.Offsetof(Habits{}.Hours)) + uint(unsafe.Offsetof(Habits{}.Hours)-192)
	_ = uint(384-unsafe.Offsetof(Habits{}.Objects)) + uint(unsafe.Offsetof(Habits{}.Objects)-384)
	_ = uint(512-unsafe.Offsetof(Habits{}.Evidence)) + uint(unsafe.Offsetof(Habits{}.Evidence)-512)
	_ = uint(544-unsafe.Offsetof(Habits{}.Methods)) + uint(unsafe.Offsetof(Habits{}.Methods)-544)
)
