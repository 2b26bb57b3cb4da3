// Package roster reads the company's own lists: systems without a usable API come as exported files.
//
// # What is read
//
// One CSV file of people, as people.schema.json (PeopleSchema, a CSVW table description) says column by column. Required
// columns are employee_no, email, type and leave_date; the order is free. A company may keep its own headers
// (Config.Columns) and leave columns unread (Config.Ignore); any other column is a mistake, because a mistyped header
// must not look like a missing one.
//
// The encoding is UTF-8, with or without a byte order mark, or Shift_JIS as Windows writes it (CP932). A text that may
// be either is refused and not guessed. Cells are taken verbatim but for white space around them: "=1+1" is a
// department's name, not a sum. Dates are days in Asia/Tokyo, YYYY-MM-DD or YYYY/MM/DD; a last day lasts until
// 23:59:59. A row whose every cell is empty is no row.
//
// An empty cell means: nobody, none or never, where the schema says so (absent); false for on_leave; unknown for
// category and hire_date, which everybody has. A column that the file lacks is unknown for everybody, but for aliases:
// without that column nobody has any.
//
// # What it proves
//
// The file's SHA-256 is in the read's Detail. Its date is a first line `# exported_at: 2026-11-01`, else that of the
// file; older than Config.MaxAge, the list is not complete, for the reason stale. A bad row is named by line and column
// and left out, the good ones stay, and the list is not complete: nobody can be proven to be in no row. Two rows with one
// employee number or one address are both bad. A file without anybody is bad too.
//
// # What is never kept
//
// The column `name` may stand in the file and is not read: employee number and addresses identify a person. A cell that
// is wrong is quoted only where it looks like a date.
//
// The file is local: nothing here opens a connection, and no permission but that of reading it is needed.
package roster
