package lfs

import "github.com/pilotgate/pilotgate/internal/bytestore"

// ReadAnswer is where a batch answer says that the object is.
func ReadAnswer(raw []byte, p bytestore.Pointer) (string, error) {
	at, err := readAnswer(raw, p)
	if err != nil {
		return "", err
	}
	return at.Href, nil
}
