package scannertest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"sptr.jp/tenken/scanners/scannertest"
)

// TestToy runs the suite over a right scanner; as a child of TestMutants over a wrong one.
func TestToy(t *testing.T) { scannertest.Run(t, toySubject(os.Getenv("TOY_MUTATION"))) }

// Every promise of the suite has a scanner that breaks it, and the suite says so under the name of that promise.
func TestMutants(t *testing.T) {
	for mutation, promise := range map[string]string{
		"always complete":      "DeniedOneByOne/toy:GetGroup",
		"asks twice":           "ThrottlesCostTheirNumber",
		"believes everything":  "CaptivePortal/toy:GetGroup",
		"deaf":                 "CancelledPromptly/toy:GetGroup",
		"denied is empty":      "DeniedOneByOne/toy:ListGroups",
		"denied is none":       "DeniedOneByOne/toy:GetGroup",
		"endless":              "EndlessPager/toy:ListGroups",
		"gives up":             "ThrottlesCostTheirNumber",
		"impatient":            "ThrottlesCostTheirNumber",
		"leaks":                "BooksBalance",
		"needs too much":       "OnlyNeededOperations",
		"no cap":               "BodyTooLarge",
		"one page":             "SameBytesPageByPage",
		"quotes answers":       "CaptivePortal",
		"quotes refusals":      "DeniedOneByOne",
		"sends too much":       "BooksBalance",
		"silent about details": "DeniedOneByOne/toy:GetGroup",
		"unordered":            "SameBytesInAnyOrder",
	} {
		t.Run(mutation, func(t *testing.T) {
			t.Parallel()
			run := "^TestToy$/^(BooksBalance|" + strings.SplitN(promise, "/", 2)[0] + ")$"
			child := exec.Command(os.Args[0], "-test.run", run, "-test.timeout", "60s")
			child.Env = append(os.Environ(), "TOY_MUTATION="+mutation)
			out, err := child.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestToy/"+promise) {
				t.Errorf("the suite lets it pass %s: %v\n%s", promise, err, out)
			}
		})
	}
}
