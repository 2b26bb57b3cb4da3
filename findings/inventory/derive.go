package inventory

import "fmt"

// Derive draws the conclusions that need no knowledge of a provider: what belongs to which environment and asset, who
// holds which account, which declared exception covers it, where edges lead, who outside may restore a backup. It reads
// facts and declarations only, so that doing it again, or over units in another order, gives the same conclusions. It
// comes before the providers' own Derive, which give what they conclude the environment and asset of what it is about.
//
// It errs only on a declaration that can't be meant, and names the entry.
func Derive(inv *Inventory, d Declared) error {
	if err := d.check(); err != nil {
		return fmt.Errorf("the declarations: %w", err)
	}
	c, err := d.claims()
	if err != nil {
		return fmt.Errorf("the declarations: %w", err)
	}
	logins, err := d.logins()
	if err != nil {
		return fmt.Errorf("the declarations: %w", err)
	}
	exceptions, err := d.exceptions()
	if err != nil {
		return fmt.Errorf("the declarations: %w", err)
	}
	deriveEnvironments(inv, d)
	deriveHeads(inv, d, c)
	derivePeople(inv, logins)
	deriveExceptions(inv, exceptions)
	deriveOwners(inv)
	deriveRoles(inv)
	deriveSharing(inv, d)
	return nil
}
