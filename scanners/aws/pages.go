package aws

// fruitless is how many pages in a row may bring nothing new. EC2 does answer empty pages with a token; an endless pager
// does nothing else.
const fruitless = 10

// pages reads a list to its end. ask gets one page, items gives its part of the list and the token of the next one: a
// nil slice where the answer had no list at all, which is no empty list. id tells items apart, so that one which moved
// between pages is not read twice; one without an id is left out, and the list is then not whole.
//
// Whatever ends it early is its error, and what was read until then is kept: the caller lists it as incomplete.
func pages[T, Page any](id func(T) string, ask func(token *string) (*Page, error), items func(*Page) ([]T, *string)) ([]T, error) {
	var all []T
	var token *string
	var nameless error
	have, tokens := map[string]bool{}, map[string]bool{}
	for idle := 0; ; {
		page, err := ask(token)
		if err != nil {
			return all, err
		}
		part, next := items(page)
		if part == nil {
			return all, errShape{"the list is missing"}
		}
		idle++
		for _, item := range part {
			switch key := id(item); {
			case key == "":
				nameless = errShape{"an element has no id"}
			case !have[key]:
				have[key], idle = true, 0
				all = append(all, item)
			}
		}
		switch {
		case next == nil || *next == "":
			return all, nameless
		case tokens[*next]:
			return all, errCut{"a page token came twice"}
		case idle == fruitless:
			return all, errCut{"page after page brought nothing new"}
		}
		tokens[*next], token = true, next
	}
}
