package inventory

import "time"

// Person is somebody whom the roster names. Its ID is the roster's employee number.
//
// Within one unit an address has one holder: a reader that meets a second claim to an address gives it to neither person
// and leaves its listing incomplete. So an account that was matched stays matched, whatever was not read.
type Person struct {
	Head
	Emails              List[string]   `json:"emails,omitzero"`          // primary address first, then aliases; lower case
	EmploymentType      Val[string]    `json:"employment_type,omitzero"` // director|employee|dispatched|part_time|contractor|vendor
	Category            Val[string]    `json:"category,omitzero"`        // general|developer
	Department          Val[string]    `json:"department,omitzero"`
	Title               Val[string]    `json:"title,omitzero"`
	HireDate            Val[time.Time] `json:"hire_date,omitzero"`  // start of the day in Asia/Tokyo
	LeaveDate           Val[time.Time] `json:"leave_date,omitzero"` // end of the last day in Asia/Tokyo; absent while employed
	OnLeave             Val[bool]      `json:"on_leave,omitzero"`   // a long absence, which is not leaving
	DepartmentChangedAt Val[time.Time] `json:"department_changed_at,omitzero"`
	Manager             Val[string]    `json:"manager,omitzero"`  // employee number or address
	Approver            Val[string]    `json:"approver,omitzero"` // who approved a person who is not an employee (4.6)
	ApprovedAt          Val[time.Time] `json:"approved_at,omitzero"`
	ValidUntil          Val[time.Time] `json:"valid_until,omitzero"`
	NDASignedAt         Val[time.Time] `json:"nda_signed_at,omitzero"`
	Accounts            List[*Account] `json:"-"` // all accounts that were matched; open while some system was not read whole
}

// Account is a sign-in of one system. The root user of an AWS account is one.
type Account struct {
	Head
	Emails            List[string]   `json:"emails,omitzero"`     // addresses that the system knows, lower case
	State             Val[string]    `json:"state,omitzero"`      // active|suspended|archived|invited|deleted
	CreatedAt         Val[time.Time] `json:"created_at,omitzero"` //
	LastLoginAt       Val[time.Time] `json:"last_login_at,omitzero"`
	ConsolePassword   Val[bool]      `json:"console_password,omitzero"` // can sign in with a password of this system's own
	MFA               Val[bool]      `json:"mfa,omitzero"`
	ActiveKeys        Val[int64]     `json:"active_keys,omitzero"`         // enabled access keys
	ActiveSigningCert Val[bool]      `json:"active_signing_cert,omitzero"` // enabled X.509 signing certificate
	GroupIDs          List[string]   `json:"group_ids,omitzero"`

	Person Val[*Person] `json:"-"` // absent: nobody in a roster read whole has one of its addresses
	// MatchedBy says how the person was found: address|alias|declared.
	MatchedBy Val[string] `json:"-"`
	// Exception is the declared kind of an account without a person: break_glass|service|shared|bot.
	Exception      Val[string]    `json:"-"`
	ExceptionUntil Val[time.Time] `json:"-"` // end of the declared last day; absent without an exception
}

// Group is a group of accounts within one system.
type Group struct {
	Head
	MemberIDs List[string] `json:"member_ids,omitzero"` // account ids
}

// Role is a named set of permissions: an IAM policy (managed or inline), an IAM role's policies, a Google role.
type Role struct {
	Head
	// Managed says who keeps it: provider|customer|inline.
	Managed Val[string] `json:"managed,omitzero"`
	// Actions are the patterns of actions that its statements allow, sorted; what a condition narrows is included.
	Actions List[string] `json:"actions,omitzero"`
	// AllowsEverything: some statement allows every action on every resource, conditions aside.
	AllowsEverything Val[bool] `json:"allows_everything,omitzero"`
}

// Grant gives a role to a principal on a resource. ID: principal uid + role + resource uid.
type Grant struct {
	Head
	PrincipalID   Val[string] `json:"principal_id,omitzero"`
	PrincipalName Val[string] `json:"principal_name,omitzero"` // as in privileged_roles: "role/AWSReservedSSO_…", "user/x", "group/x"
	PrincipalType Val[string] `json:"principal_type,omitzero"` // user|group|role|service_role
	RoleID        Val[string] `json:"role_id,omitzero"`
	RoleName      Val[string] `json:"role_name,omitzero"`

	Role Val[*Role] `json:"-"`
}

// Credential is a long-lived secret that signs in: an access key, a signing certificate, later tokens and app secrets.
type Credential struct {
	Head
	OwnerID    Val[string]    `json:"owner_id,omitzero"` // account id
	Enabled    Val[bool]      `json:"enabled,omitzero"`
	CreatedAt  Val[time.Time] `json:"created_at,omitzero"` // last rotated
	LastUsedAt Val[time.Time] `json:"last_used_at,omitzero"`
	ExpiresAt  Val[time.Time] `json:"expires_at,omitzero"`

	Owner Val[*Account] `json:"-"`
}

// Tenant is a system's own settings for an account as a whole, or for one region of it: sign-in, sharing, defaults.
type Tenant struct {
	Head
	PasswordMinLength         Val[int64]  `json:"password_min_length,omitzero"`
	PasswordReusePrevented    Val[int64]  `json:"password_reuse_prevented,omitzero"`  // remembered passwords; absent: none
	VolumeEncryptionByDefault Val[bool]   `json:"volume_encryption_default,omitzero"` // new volumes are encrypted
	SnapshotSharingBlocked    Val[string] `json:"snapshot_sharing_blocked,omitzero"`  // block-all-sharing|block-new-sharing|unblocked
	OrganizationID            Val[string] `json:"organization_id,omitzero"`           // absent: in no organisation
	OrganizationOwnerID       Val[string] `json:"organization_owner_id,omitzero"`     // management account
}
