package losses_test

import (
	"testing"

	"github.com/embedspace/embedspace/embed/embedtest"
)

func TestMain(m *testing.M) { embedtest.Exit(m.Run()) }
