package roster

import "sptr.jp/tenken/scanners"

var peopleNeed = scanners.Need{
	Operation: "roster:people",
	For:       "who works here, since when and until when, and by which addresses systems know them",
}

// Needs is the one thing that is done: a file is read.
func (*Scanner) Needs() []scanners.Need { return []scanners.Need{peopleNeed} }
