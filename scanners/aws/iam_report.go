package aws

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners/internal/door"
)

const (
	// AWS makes at most one report in four hours; what is older than that and a little was not made for us.
	reportMaxAge   = 4*time.Hour + 15*time.Minute
	reportPatience = 2 * time.Minute
	reportPoll     = 2 * time.Second
)

// credentialReport has a report made and reads it: its rows by ARN, nil when there are none that may be trusted, and the
// read that brought them or failed to. Being refused to make one is no gap while somebody else's report is fresh.
func (r *reader) credentialReport(ctx context.Context, client *iam.Client) (map[string]row, inventory.ReadID) {
	generated := r.generate(ctx, client)
	if generated != nil && classOf(generated) != door.Denied {
		r.note(generateReport, generated)
	}
	out, err := call(ctx, r, "iam", client.GetCredentialReport, &iam.GetCredentialReportInput{})
	if err != nil && generated != nil {
		switch codeOf(err) {
		case "ReportNotPresent", "ReportExpired", "ReportInProgress": // because none could be made
			return nil, r.note(generateReport, generated)
		}
	}
	if err != nil {
		return nil, r.note(getReport, err)
	}
	if generated != nil && (out.GeneratedTime == nil || r.s.config.Now().Sub(*out.GeneratedTime) > reportMaxAge) {
		r.note(generateReport, generated)
		return nil, r.Gap(getReport, inventory.Stale, "the report is older than four hours")
	}
	rows, err := parseReport(out.Content)
	return rows, r.note(getReport, err)
}

// generate waits until a report is made, or until there is no more patience with it.
func (r *reader) generate(ctx context.Context, client *iam.Client) error {
	for waited := time.Duration(0); ; waited += reportPoll {
		out, err := call(ctx, r, "iam", client.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
		switch {
		case err != nil:
			return err
		case out.State == iamtypes.ReportStateTypeComplete:
			return nil
		case out.State == "":
			return errShape{"no state is in it"}
		case waited >= reportPatience:
			return context.DeadlineExceeded
		}
		timer := time.NewTimer(reportPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// row is one line of the report by the names of its columns. A nil row knows nothing.
type row map[string]string

// parseReport gives the rows by ARN.
func parseReport(content []byte) (map[string]row, error) {
	lines, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil {
		line := 0
		if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
			line = parse.Line
		}
		return nil, errShape{fmt.Sprintf("line %d of the report is not CSV", line)}
	}
	if len(lines) == 0 || !slices.Contains(lines[0], "user") || !slices.Contains(lines[0], "arn") {
		return nil, errShape{"the report has no header"}
	}
	rows := map[string]row{}
	for i, fields := range lines {
		if i == 0 {
			continue
		}
		line := row{}
		for column, name := range lines[0] {
			line[name] = fields[column]
		}
		rows[line["arn"]] = line
	}
	return rows, nil
}

func (l row) get(column string) string { return l[column] }

// madeAt says whether the row is of the user who was made at that time, which both answers tell to the second.
func (l row) madeAt(t *time.Time) bool {
	made, known := l.moment("user_creation_time", 0).Get()
	return known && t != nil && made.Unix() == t.Unix()
}

// flag reads TRUE or FALSE; anything else ("not_supported" for root) says nothing.
func (l row) flag(column string, read inventory.ReadID) inventory.Val[bool] {
	if l == nil {
		return inventory.Unknown[bool](read)
	}
	switch l[column] {
	case "TRUE", "true":
		return inventory.Known(true, read)
	case "FALSE", "false":
		return inventory.Known(false, read)
	}
	return inventory.Unknown[bool](read)
}

// moment reads a time; "N/A" and "no_information" say that there is none.
func (l row) moment(column string, read inventory.ReadID) inventory.Val[time.Time] {
	if l == nil {
		return inventory.Unknown[time.Time](read)
	}
	switch l[column] {
	case "N/A", "no_information":
		return inventory.Absent[time.Time](read)
	}
	if t, err := time.Parse(time.RFC3339, l[column]); err == nil {
		return inventory.Known(t.UTC(), read)
	}
	return inventory.Unknown[time.Time](read)
}

// newest is the latest of several times. While one of them is unknown, it may be the latest.
func newest(times ...inventory.Val[time.Time]) inventory.Val[time.Time] {
	latest := times[0]
	for _, t := range times {
		at, known := t.Get()
		switch {
		case t.IsUnknown():
			return t
		case known && at.After(latest.Or(time.Time{})):
			latest = t
		}
	}
	return latest
}

// fill puts into an account how it signs in.
func (l row) fill(a *inventory.Account, read inventory.ReadID) {
	a.ConsolePassword = l.flag("password_enabled", read)
	a.MFA = l.flag("mfa_active", read)
	a.ActiveKeys = count(l.flag("access_key_1_active", read), l.flag("access_key_2_active", read))
	a.ActiveSigningCert = either(l.flag("cert_1_active", read), l.flag("cert_2_active", read))
	a.LastLoginAt = newest(l.moment("password_last_used", read),
		l.moment("access_key_1_last_used_date", read), l.moment("access_key_2_last_used_date", read))
	a.State = stateOf(a)
}

func count(flags ...inventory.Val[bool]) inventory.Val[int64] {
	n, read := int64(0), inventory.ReadID(0)
	for _, f := range flags {
		on, known := f.Get()
		if read = f.Read(); !known {
			return inventory.Unknown[int64](read)
		}
		if on {
			n++
		}
	}
	return inventory.Known(n, read)
}

// either is true if one is, and unknown only while that may still be so.
func either(a, b inventory.Val[bool]) inventory.Val[bool] {
	for _, v := range []inventory.Val[bool]{a, b} {
		if on, _ := v.Get(); on {
			return v
		}
	}
	if a.IsUnknown() {
		return a
	}
	return b
}

// credentials are the access keys and certificates that the account has. When a certificate was last used is told
// nowhere.
func (l row) credentials(a *inventory.Account, read inventory.ReadID) (found []inventory.Credential) {
	for _, kind := range []string{"access_key", "cert"} {
		for n := 1; n <= 2; n++ {
			slot := kind + "_" + strconv.Itoa(n)
			made := l.moment(slot+"_last_rotated", read)
			enabled := l.flag(slot+"_active", read)
			on, known := enabled.Get()
			switch {
			case made.IsAbsent() && known && !on, l == nil:
				continue
			case made.IsAbsent(): // it is there, so it was made some time
				made = inventory.Unknown[time.Time](read)
			}
			c := inventory.Credential{Head: inventory.Head{ID: a.ID + "/access-key-" + strconv.Itoa(n), Subtype: "iam:access-key",
				Name: a.Name + " access key " + strconv.Itoa(n), URL: a.URL},
				OwnerID: inventory.Known(a.ID, read), Enabled: enabled, CreatedAt: made, ExpiresAt: inventory.Absent[time.Time](read)}
			if kind == "cert" {
				c.ID, c.Subtype, c.Name = a.ID+"/cert-"+strconv.Itoa(n), "iam:signing-certificate", a.Name+" signing certificate "+strconv.Itoa(n)
				c.ExpiresAt = inventory.Unknown[time.Time](read)
			} else {
				c.LastUsedAt = l.moment(slot+"_last_used_date", read)
			}
			found = append(found, c)
		}
	}
	return found
}
