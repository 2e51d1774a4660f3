package profile

import "unsafe"

// The layout is a format: files hold it. These constants do not compile when
// an offset or a size moves (an unequal pair makes one of them negative).
const (
	_ = uint(RecordSize-unsafe.Sizeof(Record{})) + uint(unsafe.Sizeof(Record{})-RecordSize)

	_ = uint(64-unsafe.Sizeof(Header{})) + uint(unsafe.Sizeof(Header{})-64)
	_ = uint(64-unsafe.Offsetof(Record{}.Rings)) + uint(unsafe.Offsetof(Record{}.Rings)-64)
	_ = uint(142-unsafe.Offsetof(Record{}.Tried)) + uint(unsafe.Offsetof(Record{}.Tried)-142)
	_ = uint(156-unsafe.Offsetof(Record{}.Anchors)) + uint(unsafe.Offsetof(Record{}.Anchors)-156)
	_ = uint(180-unsafe.Offsetof(Record{}.Baseline)) + uint(unsafe.Offsetof(Record{}.Baseline)-180)
	_ = uint(300-unsafe.Offsetof(Record{}.HabitRings)) + uint(unsafe.Offsetof(Record{}.HabitRings)-300)
	_ = uint(368-unsafe.Offsetof(Record{}.Contexts)) + uint(unsafe.Offsetof(Record{}.Contexts)-368)
	_ = uint(380-unsafe.Offsetof(Record{}.Bytes)) + uint(unsafe.Offsetof(Record{}.Bytes)-380)
	_ = uint(404-unsafe.Offsetof(Record{}.Records)) + uint(unsafe.Offsetof(Record{}.Records)-404)
	_ = uint(428-unsafe.Offsetof(Record{}.Spreads)) + uint(unsafe.Offsetof(Record{}.Spreads)-428)
	_ = uint(436-unsafe.Offsetof(Record{}.Mix)) + uint(unsafe.Offsetof(Record{}.Mix)-436)
	_ = uint(448-unsafe.Offsetof(Record{}.Name)) + uint(unsafe.Offsetof(Record{}.Name)-448)
	_ = uint(472-unsafe.Offsetof(Record{}.tail)) + uint(unsafe.Offsetof(Record{}.tail)-472)

	tailSize = unsafe.Sizeof(Record{}.tail)
	_        = uint(tailSize-unsafe.Sizeof(Habits{})) + uint(unsafe.Sizeof(Habits{})-tailSize)
	_        = uint(tailSize-unsafe.Sizeof(Crowd{})) + uint(unsafe.Sizeof(Crowd{})-tailSize)
	_        = uint(tailSize-unsafe.Sizeof(Population{})) + uint(unsafe.Sizeof(Population{})-tailSize)

	_ = uint(168-unsafe.Offsetof(Habits{}.Hours)) + uint(unsafe.Offsetof(Habits{}.Hours)-168)
	_ = uint(220-unsafe.Offsetof(Habits{}.Endpoints)) + uint(unsafe.Offsetof(Habits{}.Endpoints)-220)
	_ = uint(352-unsafe.Offsetof(Habits{}.Objects)) + uint(unsafe.Offsetof(Habits{}.Objects)-352)
	_ = uint(432-unsafe.Offsetof(Habits{}.Evidence)) + uint(unsafe.Offsetof(Habits{}.Evidence)-432)
	_ = uint(452-unsafe.Offsetof(Habits{}.LastAccepted)) + uint(unsafe.Offsetof(Habits{}.LastAccepted)-452)
	_ = uint(464-unsafe.Offsetof(Habits{}.Methods)) + uint(unsafe.Offsetof(Habits{}.Methods)-464)
	_ = uint(472-unsafe.Offsetof(Habits{}.Challenger)) + uint(unsafe.Offsetof(Habits{}.Challenger)-472)
	_ = uint(532-unsafe.Offsetof(Habits{}.Walk)) + uint(unsafe.Offsetof(Habits{}.Walk)-532)
	_ = uint(550-unsafe.Offsetof(Habits{}.Order)) + uint(unsafe.Offsetof(Habits{}.Order)-550)
	_ = uint(112-unsafe.Offsetof(Crowd{}.SignIns)) + uint(unsafe.Offsetof(Crowd{}.SignIns)-112)
	_ = uint(192-unsafe.Offsetof(Crowd{}.Spare)) + uint(unsafe.Offsetof(Crowd{}.Spare)-192)
	_ = uint(52-unsafe.Offsetof(Population{}.Before)) + uint(unsafe.Offsetof(Population{}.Before)-52)
	_ = uint(136-unsafe.Offsetof(Population{}.Spare)) + uint(unsafe.Offsetof(Population{}.Spare)-136)
)
