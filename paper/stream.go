package paper

import "net/http"

const streamPath = "/v1"

type stream struct{ server *Server }

func (st *stream) begin(s *Server) { st.server = s }
func (st *stream) dropAll()        {}

func (s *Server) serveStream(w http.ResponseWriter, _ *http.Request) { s.refuse(w, notFound()) }

// Moved looks at the market and tells the sockets.
func (s *Server) Moved() {}
