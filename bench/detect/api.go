package detect

// resource is what the placeholder of a route stands for.
type resource uint8

const (
	none      resource = iota
	product            // a shared catalogue: a few are asked for by everybody
	cartItem           // of the caller's own
	order              // the others too: ids of one sequence for all callers
	invoice            // UUIDs
	customer           //
	report             //
	build              //
	message            // UUIDs
	resources int      = iota
)

// uuids says which resources are named by UUIDs, and not by numbers.
var uuids = [resources]bool{invoice: true, message: true}

// endpoint is one route of the simulated API.
type endpoint struct {
	method, path, after string // path before and behind the object
	of                  resource
	list                bool    // answers many records
	each                float64 // bytes of a record, the median over callers
	fixed               float64 // bytes around them
	status              uint16  // of a good answer
	records             bool    // the answer's records can be counted
}

// The routes. Their numbers are only for this package.
const (
	getMe = iota
	getProducts
	getProduct
	getSearch
	getCart
	postCartItem
	deleteCartItem
	postCheckout
	getOrders
	getOrder
	patchOrder
	getInvoices
	getInvoice
	getCustomers
	getCustomer
	putCustomer
	getStock
	getStatus
	getExport
	getReport
	postWebhook
	postBuild
	getBuild
	getBuildLog
	getMessages
	getMessage
	postMessage
	putProfile
	postLogin
	postReset
	getOldOrders // version 0, that some still use
	getOldOrder
	// From the release on.
	getRecommendations
	getTracking
	getWishlist
	postWishlist
	endpoints int = iota
)

// api is a shop with its partners' side: people browse and order, programs ask
// for stock, synchronise customers and orders, export, build.
var api = [endpoints]endpoint{
	getMe:          {"GET", "/v1/me", "", none, false, 620, 0, 200, true},
	getProducts:    {"GET", "/v1/products?limit=", "", none, true, 410, 120, 200, true},
	getProduct:     {"GET", "/v1/products/", "", product, false, 1300, 0, 200, true},
	getSearch:      {"GET", "/v1/search?limit=", "", none, true, 380, 150, 200, true},
	getCart:        {"GET", "/v1/cart", "", none, true, 300, 90, 200, true},
	postCartItem:   {"POST", "/v1/cart/items", "", none, false, 310, 0, 201, true},
	deleteCartItem: {"DELETE", "/v1/cart/items/", "", cartItem, false, 0, 0, 204, false},
	postCheckout:   {"POST", "/v1/checkout", "", none, false, 900, 0, 201, true},
	getOrders:      {"GET", "/v1/orders?limit=", "", none, true, 190, 100, 200, true},
	getOrder:       {"GET", "/v1/orders/", "", order, false, 1500, 0, 200, true},
	patchOrder:     {"PATCH", "/v1/orders/", "", order, false, 700, 0, 200, true},
	getInvoices:    {"GET", "/v1/invoices?limit=", "", none, true, 170, 100, 200, true},
	getInvoice:     {"GET", "/v1/invoices/", "", invoice, false, 38_000, 0, 200, false},
	getCustomers:   {"GET", "/v1/customers?limit=", "", none, true, 240, 100, 200, true},
	getCustomer:    {"GET", "/v1/customers/", "", customer, false, 900, 0, 200, true},
	putCustomer:    {"PUT", "/v1/customers/", "", customer, false, 400, 0, 200, true},
	getStock:       {"GET", "/v1/stock?limit=", "", none, true, 60, 80, 200, true},
	getStatus:      {"GET", "/v1/status", "", none, false, 90, 0, 200, false},
	getExport:      {"GET", "/v1/export?limit=", "", none, true, 160, 200, 200, true},
	getReport:      {"GET", "/v1/reports/", "", report, false, 21_000, 0, 200, false},
	postWebhook:    {"POST", "/v1/webhooks", "", none, false, 60, 0, 202, true},
	postBuild:      {"POST", "/v1/builds", "", none, false, 350, 0, 201, true},
	getBuild:       {"GET", "/v1/builds/", "", build, false, 800, 0, 200, true},
	getBuildLog:    {"GET", "/v1/builds/", "/log", build, false, 26_000, 0, 200, false},
	getMessages:    {"GET", "/v1/messages?limit=", "", none, true, 260, 90, 200, true},
	getMessage:     {"GET", "/v1/messages/", "", message, false, 1800, 0, 200, true},
	postMessage:    {"POST", "/v1/messages", "", none, false, 500, 0, 201, true},
	putProfile:     {"PUT", "/v1/profile", "", none, false, 640, 0, 200, true},
	postLogin:      {"POST", "/v1/login", "", none, false, 420, 0, 200, false},
	postReset:      {"POST", "/v1/password-reset", "", none, false, 80, 0, 202, false},
	getOldOrders:   {"GET", "/v0/orders?limit=", "", none, true, 260, 100, 200, true},
	getOldOrder:    {"GET", "/v0/orders/", "", order, false, 2100, 0, 200, true},

	getRecommendations: {"GET", "/v1/recommendations?limit=", "", none, true, 350, 90, 200, true},
	getTracking:        {"GET", "/v1/orders/", "/tracking", order, false, 700, 0, 200, true},
	getWishlist:        {"GET", "/v1/wishlist", "", none, true, 300, 80, 200, true},
	postWishlist:       {"POST", "/v1/wishlist/items", "", none, false, 250, 0, 201, true},
}

// edge leads from one route to the next, with a weight.
type edge struct {
	to     uint8
	weight float64
}

// chain is how a class goes through the API: from a route to the next. start
// stands before the first.
type chain map[int][]edge

const start = -1

// chains are the classes' common ways. Every identity has its own version of
// its class's: see newWays.
var chains = [classes]chain{
	person: {
		start:          {{getMe, 5}, {getProducts, 3}, {getOrders, 2}, {getMessages, 1}},
		getMe:          {{getProducts, 5}, {getOrders, 3}, {getSearch, 2}, {getMessages, 1}, {getCart, 1}, {putProfile, .1}},
		getProducts:    {{getProduct, 7}, {getSearch, 2}, {getProducts, 2}, {getCart, .5}},
		getProduct:     {{getProduct, 3}, {getProducts, 3}, {postCartItem, 1}, {getSearch, 1.5}, {getCart, .4}},
		getSearch:      {{getProduct, 5}, {getSearch, 3}, {getProducts, 1}},
		getCart:        {{postCheckout, .6}, {deleteCartItem, .6}, {getProducts, 2}, {getProduct, 1}},
		postCartItem:   {{getCart, 5}, {getProducts, 2}, {getProduct, 2}},
		deleteCartItem: {{getCart, 5}, {getProducts, 1}},
		postCheckout:   {{getOrder, 6}, {getOrders, 2}},
		getOrders:      {{getOrder, 6}, {getInvoices, 1}, {getProducts, 1}},
		getOrder:       {{getOrders, 4}, {getOrder, 2}, {getInvoice, .8}, {patchOrder, .2}, {getMessages, .4}},
		patchOrder:     {{getOrder, 5}},
		getInvoices:    {{getInvoice, 5}, {getOrders, 1}},
		getInvoice:     {{getInvoices, 3}, {getOrders, 2}},
		getMessages:    {{getMessage, 5}, {getOrders, 1}, {getProducts, 1}},
		getMessage:     {{getMessages, 3}, {postMessage, .6}, {getMessage, 2}},
		postMessage:    {{getMessages, 3}},
		putProfile:     {{getMe, 3}},
	},
	poller: {
		start:     {{getStock, 4}, {getOrders, 2}, {getStatus, 2}, {getMessages, 1}, {getOldOrders, .4}},
		getStock:  {{getStock, 1}, {getProduct, .2}},
		getOrders: {{getOrder, 1}, {getOrders, .5}},
		getOrder:  {{getOrder, 1}, {getOrders, .2}},
	},
	batch: {
		start:        {{getExport, 3}, {getOrders, 2}, {getCustomers, 2}, {getOldOrders, .3}},
		getExport:    {{getExport, 20}, {postWebhook, 1}},
		getOrders:    {{getOrder, 12}, {getOrders, 1}},
		getOrder:     {{getOrder, 14}, {getOrders, 1}, {getInvoice, .6}, {patchOrder, .3}},
		getCustomers: {{getCustomer, 10}, {getCustomers, 2}},
		getCustomer:  {{getCustomer, 12}, {getCustomers, 1}, {putCustomer, 1}},
		putCustomer:  {{getCustomer, 5}},
		getInvoice:   {{getOrder, 5}},
		patchOrder:   {{getOrder, 5}},
		getOldOrders: {{getOldOrder, 12}, {getOldOrders, 1}},
		getOldOrder:  {{getOldOrder, 14}, {getOldOrders, 1}},
		postWebhook:  {{getExport, 5}},
	},
	bursty: {
		start:       {{postBuild, 6}, {getProducts, 1}, {getStatus, 1}},
		postBuild:   {{getBuild, 8}},
		getBuild:    {{getBuild, 7}, {getBuildLog, 2}, {postBuild, .6}, {getReport, .3}},
		getBuildLog: {{getBuild, 4}, {getBuildLog, 1}, {postBuild, 1}},
		getReport:   {{getBuild, 2}, {getReport, 1}},
		getProducts: {{getProduct, 4}, {getProducts, 2}},
		getProduct:  {{getProduct, 5}, {postCartItem, 1}},
		getStatus:   {{postBuild, 3}, {getStatus, 1}},
	},
	partner: {
		start:        {{getOrders, 4}, {getStock, 3}, {getCustomers, 2}, {getProducts, 2}, {postWebhook, 1}, {getOldOrders, .3}},
		getOrders:    {{getOrder, 6}, {patchOrder, .5}, {getOrders, 1}},
		getOrder:     {{getOrder, 4}, {patchOrder, 1}, {getCustomer, 2}, {getInvoice, .5}},
		patchOrder:   {{getOrder, 3}, {postWebhook, 1}},
		getCustomers: {{getCustomer, 5}, {getCustomers, 1}},
		getCustomer:  {{getOrders, 1}, {getCustomer, 2}, {putCustomer, .5}},
		putCustomer:  {{getCustomer, 2}},
		getStock:     {{getStock, 1}, {getProduct, 2}},
		getProducts:  {{getProduct, 4}, {getProducts, 1}},
		getProduct:   {{getProduct, 2}, {getStock, 1}},
		getInvoice:   {{getOrder, 2}},
		postWebhook:  {{getOrders, 2}},
		getOldOrders: {{getOldOrder, 5}},
		getOldOrder:  {{getOldOrder, 3}, {getOldOrders, 1}},
	},
}

// released are the ways that the release opens, and how often they are taken.
var released = chain{
	getMe:              {{getRecommendations, 2}},
	getProducts:        {{getRecommendations, .7}},
	getProduct:         {{postWishlist, .5}},
	getOrder:           {{getTracking, 1.5}},
	getTracking:        {{getOrders, 2}, {getOrder, 1}},
	getWishlist:        {{getProduct, 2}, {getProducts, 1}},
	postWishlist:       {{getWishlist, 2}, {getProducts, 2}},
	getRecommendations: {{getProduct, 4}, {getProducts, 1}},
}
