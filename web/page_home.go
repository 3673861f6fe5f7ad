package web

// homeBody is the first page.
type homeBody struct{}

func (s *Server) home(v *visit) error { return v.show("home", homeBody{}) }
