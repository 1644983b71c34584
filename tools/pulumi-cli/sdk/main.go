// Command sdk writes an SDK for a Pulumi schema, as `pulumi package add` does where the language's host is installed.
//
//	go run ./sdk SCHEMA nodejs|go FOLDER
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	gogen "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// noOthers is asked for the schemas of other packages; ours refers to none.
type noOthers struct{ schema.ReferenceLoader }

func main() {
	if len(os.Args) != 4 {
		fail("usage: sdk SCHEMA nodejs|go FOLDER")
	}
	text, err := os.ReadFile(os.Args[1])
	check(err)
	var spec schema.PackageSpec
	check(json.Unmarshal(text, &spec))
	bound, found, err := schema.BindSpec(spec, noOthers{}, schema.ValidationOptions{})
	check(err)
	if found.HasErrors() {
		fail(found.Error())
	}
	bound.SupportPack = true // which brings the version and a go.mod
	var files map[string][]byte
	switch os.Args[2] {
	case "nodejs":
		files, err = nodejs.GeneratePackage("codat-zoho", bound, nil, nil, true, noOthers{})
	case "go":
		files, err = gogen.GeneratePackage("codat-zoho", bound, nil)
	default:
		fail("there is nodejs and go, not " + os.Args[2])
	}
	check(err)
	for name, content := range files {
		path := filepath.Join(os.Args[3], name)
		check(os.MkdirAll(filepath.Dir(path), 0o755))
		check(os.WriteFile(path, content, 0o644))
	}
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}
