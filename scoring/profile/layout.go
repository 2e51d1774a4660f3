package profile

import "unsafe"

// The layout is a format: files hold it. These constants do not compile when
// an offset or a size moves (an unequal pair makes one of them negative).
const (
	_ = uint(RecordSize-unsafe.Sizeof(Record{})) + uint(unsafe.Sizeof(Record{})-RecordSize)

	_ = uint(64-unsafe.Sizeof(Header{})) + uint(unsafe.Sizeof(Header{})-64)
	_ = uint(64-unsafe.Offsetof(Record{}.Rings)) + uint(unsafe.Offsetof(Record{}.Rings)-64)
	_ = uint(188-unsafe.Offsetof(Record{}.Anchors)) + uint(unsafe.Offsetof(Record{}.Anchors)-188)
	_ = uint(212-unsafe.Offsetof(Record{}.Baseline)) + uint(unsafe.Offsetof(Record{}.Baseline)-212)
	_ = uint(332-unsafe.Offsetof(Record{}.HabitRings)) + uint(unsafe.Offsetof(Record{}.HabitRings)-332)
	_ = uint(392-unsafe.Offsetof(Record{}.Bytes)) + uint(unsafe.Offsetof(Record{}.Bytes)-392)
	_ = uint(416-unsafe.Offsetof(Record{}.Records)) + uint(unsafe.Offsetof(Record{}.Records)-416)
	_ = uint(440-unsafe.Offsetof(Record{}.Spreads)) + uint(unsafe.Offsetof(Record{}.Spreads)-440)
	_ = uint(448-unsafe.Offsetof(Record{}.Name)) + uint(unsafe.Offsetof(Record{}.Name)-448)
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
