package aws

import (
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sptr.jp/tenken/findings/inventory"
	"sptr.jp/tenken/scanners/internal/door"
)

// What an error code of AWS means. The code decides, not the status: many throttles come as 400, and 403 may be one.
var codes = map[string]door.Class{
	"Throttling": door.Throttled, "ThrottlingException": door.Throttled, "ThrottledException": door.Throttled,
	"RequestThrottledException": door.Throttled, "RequestThrottled": door.Throttled, "TooManyRequestsException": door.Throttled,
	"ProvisionedThroughputExceededException": door.Throttled, "TransactionInProgressException": door.Throttled,
	"RequestLimitExceeded": door.Throttled, "BandwidthLimitExceeded": door.Throttled, "LimitExceededException": door.Throttled,
	"SlowDown": door.Throttled, "PriorRequestNotComplete": door.Throttled, "EC2ThrottledException": door.Throttled,

	"InternalError": door.Transient, "InternalFailure": door.Transient, "InternalServerError": door.Transient,
	"ServiceFailure": door.Transient, "ServiceException": door.Transient, "ServiceUnavailable": door.Transient,
	"ServiceUnavailableException": door.Transient, "Unavailable": door.Transient, "RequestTimeout": door.Transient,
	"RequestTimeoutException": door.Transient,

	"AccessDenied": door.Denied, "AccessDeniedException": door.Denied, "UnauthorizedOperation": door.Denied,
	"UnauthorizedException": door.Denied, "AuthFailure": door.Denied, "UnrecognizedClientException": door.Denied,
	"InvalidClientTokenId": door.Denied, "InvalidAccessKeyId": door.Denied, "ExpiredToken": door.Denied,
	"ExpiredTokenException": door.Denied, "RequestExpired": door.Denied, "SignatureDoesNotMatch": door.Denied,
	"InvalidSignatureException": door.Denied, "IncompleteSignature": door.Denied, "MissingAuthenticationToken": door.Denied,
	"MissingAuthenticationTokenException": door.Denied, "PendingVerification": door.Denied, "Blocked": door.Denied,
}

// off are the codes that say that a region or an API is not there for the account.
var off = map[string]bool{"OptInRequired": true, "RegionDisabledException": true, "InvalidAction": true,
	"UnknownOperationException": true, "UnsupportedOperation": true, "NotImplemented": true}

// notInUse is a fact, not a failure: the account belongs to no organisation.
const notInUse = "AWSOrganizationsNotInUseException"

// errCut is a list that its pager did not bring to an end.
type errCut struct{ why string }

func (e errCut) Error() string { return "the list was not read to its end: " + e.why }

// errShape is an answer that is not the one which was asked for, although it says so.
type errShape struct{ why string }

// errMissing is an answer without the one thing that was asked for. The SDK takes any document that is not the answer's
// for an answer in which nothing stands.
var errMissing = errShape{"what was asked for is not in it"}

func (e errShape) Error() string { return "the answer could not be understood: " + e.why }

// signInError is a failure to become the role of an account, inside a call that was never sent.
type signInError struct{ err error }

func (e *signInError) Error() string { return "assuming the role: " + e.err.Error() }
func (e *signInError) Unwrap() error { return e.err }

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// classOf is the class of an SDK's error: by the code in the body, then by what the door said, then by the status.
func classOf(err error) door.Class {
	code := codeOf(err)
	if class, ok := codes[code]; ok {
		return class
	}
	var answered *smithyhttp.ResponseError
	switch class := door.ClassOf(err); {
	case strings.Contains(code, "NotAuthorized"):
		return door.Denied
	case isNotFound(code):
		return door.NotFound
	case off[code] || class != door.Other:
		return class
	case errors.As(err, &answered):
		class = door.StatusClass(answered.HTTPStatusCode())
		if code == "" && class == door.Denied || class == "" || answered.HTTPStatusCode() == http.StatusNotImplemented {
			return door.Other // a proxy's 403 says nothing about permissions
		}
		return class
	}
	return door.Other
}

func isNotFound(code string) bool {
	return code == "NoSuchEntity" || strings.HasSuffix(code, "NotFound") || strings.HasSuffix(code, "NotFoundFault") ||
		strings.HasSuffix(code, "NotFoundException")
}

// failure is err with its class and the wait that the answer asks for, as the door's loop wants it.
func failure(err error) error {
	var signIn *signInError
	var skewed interface{ RetryableError() bool }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &signIn): // it had its own tries
		return &door.Failure{Class: door.Other, Err: err}
	}
	class := classOf(err)
	if class == door.Denied && errors.As(err, &skewed) && skewed.RetryableError() {
		class = door.Transient // our clock was wrong; the SDK has set it right for the next try
	}
	f := &door.Failure{Class: class, Err: err}
	var answered *smithyhttp.ResponseError
	if errors.As(err, &answered) && answered.Response != nil {
		f.Wait = door.Wait(answered.Response.Header, time.Now())
	}
	return f
}

// reason says why a call was not answered whole, with a code or a short hint. Never a message: AWS puts ARNs into it.
func reason(err error) (why inventory.Reason, detail string) {
	var signIn *signInError
	if errors.As(err, &signIn) {
		err = signIn.err
	}
	code := codeOf(err)
	if code == "" {
		code = hint(err)
	}
	var cut errCut
	var shape errShape
	switch {
	case errors.As(err, &cut):
		return inventory.PartialList, cut.why
	case off[code]:
		return inventory.Disabled, code
	case errors.As(err, &shape):
		return inventory.DecodeError, shape.why
	}
	class := door.ClassOf(err)
	if class == door.Other || class == "" { // also what was never in the door's loop
		class = classOf(err)
	}
	switch class {
	case door.Throttled:
		return inventory.Throttled, code
	case door.Transient, door.TimedOut:
		return inventory.Timeout, code
	case door.Denied:
		return inventory.AccessDenied, code
	case door.NotFound:
		return inventory.AmbiguousNotFound, code
	case door.Cancelled:
		return inventory.Cancelled, ""
	case door.TooLarge:
		return inventory.TooLarge, ""
	case door.Blocked:
		return inventory.DecodeError, "refused by the door"
	}
	return inventory.DecodeError, code
}

// hint says in words of our own what went wrong where AWS gave no code: below the answer, or in the midst of it.
func hint(err error) string {
	var answered *smithyhttp.ResponseError
	status := 0
	if errors.As(err, &answered) {
		status = answered.HTTPStatusCode()
	}
	switch network := networkHint(err); {
	case status >= 300:
		return fmt.Sprintf("HTTP %d", status)
	case network != "":
		return network
	case status != 0 && endsEarly(err):
		return "the answer was cut short"
	case status != 0:
		return "the answer could not be decoded"
	case answered != nil && endsEarly(err):
		return "the connection was closed before an answer"
	case answered != nil:
		return "the connection failed"
	}
	return ""
}

func networkHint(err error) string {
	var name *net.DNSError
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no whole answer in time"
	case errors.As(err, &name) && name.IsNotFound:
		return "no such host"
	case errors.As(err, &name):
		return "the name of the host could not be looked up"
	case errors.As(err, &cert):
		return "TLS: the certificate is not trusted"
	case errors.As(err, &record), errors.As(err, &alert):
		return "TLS: the other side does not agree"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the host"
	}
	return ""
}

// endsEarly: the decoder of XML has an error of its own for what ends in the midst. That of JSON doesn't tell it from what
// is no JSON.
func endsEarly(err error) bool {
	var markup *xml.SyntaxError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &markup) && markup.Msg == "unexpected EOF"
}
