package seal

import "errors"

// Why a key file was refused. The errors that carry these name the file.
var (
	// ErrNoKeyFile says that there is no key file.
	ErrNoKeyFile = errors.New("it is not there")
	// ErrKeyFileExists says that Create found a file.
	ErrKeyFileExists = errors.New("it is there already")
	// ErrExposed says that others than the owner may read the key file.
	ErrExposed = errors.New("others than its owner can read it")
	// ErrBadKeyFile says that the file does not hold keys that seal.
	ErrBadKeyFile = errors.New("it is not a key file")
	// ErrInsideData says that the key file lies in the data folder.
	ErrInsideData = errors.New("it lies in the data folder")
)

// Why a value was not sealed or did not open. The errors that carry these name
// the place, never what is kept there.
var (
	// ErrBinding says that the place is not fully named.
	ErrBinding = errors.New("a value is sealed for an owner, a column and a version")
	// ErrEmpty says that there was nothing to seal.
	ErrEmpty = errors.New("there is nothing to seal")
	// ErrTooLong says that a secret is longer than MaxSecret.
	ErrTooLong = errors.New("the secret is too long to seal")
	// ErrMalformed says that the bytes were never a sealed value, or were cut.
	ErrMalformed = errors.New("this is not a sealed value")
	// ErrUnknownKey says that the value was sealed with a key that is not in the
	// key file: it is another file, or the key was retired too early.
	ErrUnknownKey = errors.New("it was sealed with a key that the key file does not hold")
	// ErrMoved says that the value was sealed for another place.
	ErrMoved = errors.New("it was sealed for another owner, account, column or version")
	// ErrTampered says that the value, or the key in the file, was changed.
	ErrTampered = errors.New("it was changed since it was sealed")
)

// Why a rotation was refused.
var (
	// ErrPrimary says that the key that seals cannot be retired.
	ErrPrimary = errors.New("it is the key that seals: rotate first")
	// ErrNoSuchKey says that the file holds no key of that id.
	ErrNoSuchKey = errors.New("the key file holds no such key")
)
