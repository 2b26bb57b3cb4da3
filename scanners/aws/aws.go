package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners"
	"sptr.jp/tenken/scanners/internal/door"
)

// Config says which accounts and regions are read, and how. Its zero value reads all enabled regions of the account of
// the credentials.
type Config struct {
	System   string   // the name in tenken.yaml
	Regions  []string // empty: all that an account has enabled
	Profile  string   // of the shared configuration; empty: the default chain
	Role     string   // name or ARN, assumed in every account that is read; empty: the caller's own account alone
	Accounts []string // ids; "all" or none: with a role every active account of the organisation, else the caller's own
	// Endpoint receives all traffic instead of AWS. Then neither the shared configuration nor the instance metadata is
	// asked: the credentials are those of AWS_ACCESS_KEY_ID, or dummies.
	Endpoint string

	// RatePerSecond bounds the requests to one service of one account and region, so that the company's own use of the
	// same quota goes on undisturbed: 10, half of the least that EC2 documents; 200 where an Endpoint stands for AWS.
	// Concurrency is how many may be under way
	// there at once (4), and AccountsAtOnce how many accounts are discovered at once (16).
	RatePerSecond  float64
	Concurrency    int
	AccountsAtOnce int

	Now func() time.Time // the clock that the age of the credential report is measured by; nil: time.Now
}

// Hooks let the caller watch. The zero value watches nothing.
type Hooks struct {
	// Call is told of every request when its answer has ended, by many goroutines.
	Call func(Call)
	// Transport sends what the door admits; nil: the network.
	Transport http.RoundTripper
}

// A Call is one request: what it was and how it went, nothing of what was in it.
type Call struct {
	Operation string // "rds:DescribeDBInstances"; empty if it was refused before that was known
	Host      string
	Status    int // 0 without an answer
	Bytes     int64
	Duration  time.Duration
	Attempt   int
	Failure   string // empty when it was answered
}

// ErrNoCredential says that no credential for AWS was found on this machine.
var ErrNoCredential = errors.New("no AWS credential was found")

// Scanner reads AWS. It implements scanners.Scanner.
type Scanner struct {
	config    Config
	base      aws.Config // signed by the caller itself
	guard     *door.Guard
	redactor  *door.Redactor
	lanes     *door.Lanes
	partition string // of the caller, for ARNs: aws, aws-cn, aws-us-gov
	caller    string // whose credentials these are, as an ARN; Plan finds both

	mu       sync.Mutex
	accounts map[string]*account
}

// New prepares a scanner. It fails only where no reading can begin: the configuration can't be used, or there is no
// credential (ErrNoCredential). A credential that AWS refuses is a refused discovery, not an error.
func New(ctx context.Context, c Config, h Hooks) (*Scanner, error) {
	rate := 10.0
	if c.Endpoint != "" {
		rate = 200
	}
	c.RatePerSecond = cmp.Or(c.RatePerSecond, rate)
	c.Concurrency = cmp.Or(c.Concurrency, 4)
	c.AccountsAtOnce = cmp.Or(c.AccountsAtOnce, 16)
	c.Regions, c.Accounts = distinct(c.Regions), distinct(c.Accounts)
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Scanner{config: c, partition: "aws", accounts: map[string]*account{}, redactor: &door.Redactor{}}
	s.lanes = door.NewLanes(func(lane string) door.Limits {
		l := door.Limits{Rate: c.RatePerSecond, Burst: int(max(1, 2*c.RatePerSecond)), Concurrent: c.Concurrency}
		if strings.HasSuffix(lane, "/sts") { // one lane for all accounts; STS takes 600 a second
			l.Rate, l.Concurrent = 5*l.Rate, max(l.Concurrent, c.AccountsAtOnce)
		}
		return l
	})
	endpoint, err := parseEndpoint(c.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("aws: %w", err)
	}
	s.guard = newGuard(endpoint, h, s.redactor)
	if s.base, err = s.baseConfig(ctx, endpoint); err != nil {
		return nil, fmt.Errorf("aws: %w", err)
	}
	return s, nil
}

// distinct leaves each name once, where it stands first.
func distinct(names []string) (once []string) {
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("endpoint %q is not the address of a server: write http://127.0.0.1:5000", endpoint)
	}
	return u, nil
}

// Needs implements scanners.Scanner.
func (s *Scanner) Needs() []scanners.Need { return Needs() }

// Collect implements scanners.Scanner.
func (s *Scanner) Collect(ctx context.Context, u *inventory.Unit) {
	for _, c := range append(globalCollectors(), regionalCollectors()...) {
		if c.name != u.Collector {
			continue
		}
		r := s.reader(u)
		c.read(r, ctx)
		r.Finish()
		return
	}
	scanners.Fail(u, scanners.Need{Operation: "aws:" + u.Collector}, inventory.DecodeError, "this version of tenken has no such collector")
}

// A reader reads one unit: it keeps the unit's books and sends the unit's calls.
type reader struct {
	*scanners.Recorder
	s      *Scanner
	unit   *inventory.Unit
	facts  *inventory.Facts
	config aws.Config // signed for the unit's account, in its region
	region string     // empty for what is global
}

func (s *Scanner) reader(u *inventory.Unit) *reader {
	r := &reader{Recorder: scanners.NewRecorder(u), s: s, unit: u, facts: &u.Facts, region: u.Scope.Region}
	r.config = s.account(u.Scope.Account).config.Copy()
	if r.region != "" {
		r.config.Region = r.region
	}
	return r
}

// note enters the end of a call into the unit's books and gives the read for the values that it brought or failed to.
func (r *reader) note(n scanners.Need, err error) inventory.ReadID {
	if err == nil {
		return r.OK(n)
	}
	if signIn := (*signInError)(nil); errors.As(err, &signIn) {
		n = assumeRole
	}
	why, detail := reason(err)
	return r.Gap(n, why, detail)
}

// call sends one operation of a service: through its lane, again where that may help.
func call[In, Out, Opt any](ctx context.Context, r *reader, service string,
	op func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In) (*Out, error) {
	return send(ctx, r.s.lanes.Lane(r.unit.Scope.Account+"/"+r.config.Region+"/"+service), op, in)
}

// send is call for any lane.
func send[In, Out, Opt any](ctx context.Context, lane *door.Lane,
	op func(context.Context, *In, ...func(*Opt)) (*Out, error), in *In) (*Out, error) {
	var out *Out
	err := door.Do(ctx, door.Policy{}, lane, func(ctx context.Context) (err error) {
		out, err = op(ctx, in)
		return failure(err)
	})
	return out, err
}
