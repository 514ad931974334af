//go:build real

package threats

import "testing"

func TestALineOf2GBIsFoundByEveryDoor(t *testing.T) { oneLongLine(t, 2<<30) }
