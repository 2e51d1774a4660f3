package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"
)

// writeParts writes beside a binary what it is made of, as CycloneDX. The Go
// linker has put the list into the binary, so that it cannot be another's. It
// has neither serial number nor time: the same binary has the same list.
func writeParts(path, version string) error {
	program, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	list, err := parts(program, version)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(list); err != nil {
		return err
	}
	return os.WriteFile(path+".cdx.json", out.Bytes(), 0o644)
}

func parts(program []byte, version string) (*cyclonedx.BOM, error) {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(program)
	self := part(&debug.Module{Path: info.Main.Path, Version: version})
	self.Type, self.Name = cyclonedx.ComponentTypeApplication, "wonted"
	self.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}}
	list := cyclonedx.NewBOM()
	list.Metadata = &cyclonedx.Metadata{Component: &self}
	components := []cyclonedx.Component{part(&debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")})}
	direct := []string{components[0].BOMRef}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, part(module))
		direct = append(direct, components[len(components)-1].BOMRef)
	}
	list.Components = &components
	list.Dependencies = &[]cyclonedx.Dependency{{Ref: self.BOMRef, Dependencies: &direct}}
	return list, nil
}

// part is a module. Its hash is that of go.sum, over the files of the module.
func part(m *debug.Module) cyclonedx.Component {
	url := "pkg:golang/" + m.Path + "@" + m.Version
	c := cyclonedx.Component{
		BOMRef: url, Type: cyclonedx.ComponentTypeLibrary,
		Name: m.Path, Version: m.Version, PackageURL: url,
	}
	if sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:")); err == nil && len(sum) == sha256.Size {
		c.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	}
	return c
}
