// Package ruletest holds the property that verdicts rest on, for tests of this and other rooms: hiding a part of what was
// read never turns a verdict into another one, only into unknown.
//
// Mask hides parts of units as a denied call, a cut page or a lost unit would; Flips compares what was judged before and
// after. Between the two the caller derives and judges, so that the property runs through all of it. It uses reflection,
// and only tests import it.
package ruletest
