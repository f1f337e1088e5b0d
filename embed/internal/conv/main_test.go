package conv

import (
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

func TestMain(m *testing.M) { embedtest.Main(m, nil) }
