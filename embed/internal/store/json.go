package store

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
)

// WriteJSON writes a value as indented JSON.
func WriteJSON(path string, value any) error {
	content, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return WriteFile(path, append(content, '\n'))
}

// ReadJSON reads a file of JSON into a value. The error names the file.
func ReadJSON(path string, value any) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Difference says in which field, by its name in JSON, a struct first differs from one of
// its type that is wanted: "epochs is 5, not 6"; empty, if they are equal.
func Difference[T any](got, want T) string {
	a, b := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range a.NumField() {
		x, y := a.Field(i).Interface(), b.Field(i).Interface()
		if !reflect.DeepEqual(x, y) {
			name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
			return fmt.Sprintf("%s is %v, not %v", name, x, y)
		}
	}
	return ""
}
