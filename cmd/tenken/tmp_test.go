package main
import ("testing";"time")
func TestTmp(t *testing.T){ for i:=0;i<8;i++ { s:=time.Now(); r:=scanDemo(t,""); t.Log(time.Since(s), r.code, len(r.Findings), len(r.server.Journal().Requests)) } }
