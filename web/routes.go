package web

import (
	"net/http"

	"tongbao/register"
)

// route is one line of the table of all routes. Door "" is open to everybody,
// also to who is not signed in; all else asks register.May.
type route struct {
	pattern string // method and path
	door    register.Door
	do      func(*visit) error
	nav     string // key of its word in the navigation, "" for none
}

// routes are all that the portal answers. A page is one line here, one
// page_<name>.go and one template of that name.
func (s *Server) routes() []route {
	return []route{
		{"GET /{$}", register.DoorHome, s.home, "home"},

		{"GET /sign-in", "", s.signIn, ""},
		{"POST /sign-in", "", s.signInDone, ""},
		{"GET /welcome", "", s.welcome, ""},
		{"POST /welcome", "", s.welcomeDone, ""},
		{"POST /locale", "", s.setLocale, ""},
		{"POST /sign-out", register.DoorOwn, s.signOut, ""},
		{"GET /own", register.DoorOwn, s.own, ""},
		{"POST /own/password", register.DoorOwn, s.ownPassword, ""},
		{"POST /own/sign-out", register.DoorOwn, s.signOutEverywhere, ""},

		{"GET /sql", register.DoorSQL, s.sql, "sql"},
		{"POST /sql", register.DoorSQL, s.sqlDone, ""},
		{"POST /sql/cancel", register.DoorSQL, s.sqlCancel, ""},
		{"GET /sql/tokens", register.DoorSQL, s.tokens, ""},
		{"POST /sql/tokens", register.DoorSQL, s.tokenMade, ""},
		{"POST /sql/tokens/{token}/revoke", register.DoorSQL, s.tokenRevoked, ""},
		{"GET /saved", register.DoorSQL, s.saved, "saved"},
		{"POST /saved/{saved}/remove", register.DoorSQL, s.savedRemoved, ""},
		{"GET /dictionary", register.DoorSQL, s.dictionary, "dictionary"},
		{"GET /api/v1", register.DoorAPI, s.apiIndex, ""},
		{"GET /api/v1/{name}", register.DoorAPI, s.apiRead, ""},
		{"GET /api/v1/tables", register.DoorAPI, s.apiTables, ""},
		{"POST /api/v1/query", register.DoorAPI, s.apiQuery, ""},
		{"/api/", register.DoorAPI, s.apiNotFound, ""},

		{"GET /static/{name}", "", s.static, ""},
		{"/", "", s.notFound, ""},
	}
}

func (s *Server) mux() http.Handler {
	mux := http.NewServeMux()
	for _, one := range s.routes() {
		mux.Handle(one.pattern, s.answer(one))
	}
	return mux
}
