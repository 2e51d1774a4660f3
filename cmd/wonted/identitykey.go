package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/rs/zerolog"

	"github.com/wonted-project/wonted/cmd/wonted/internal/config"
	"github.com/wonted-project/wonted/extproc/identity"
	"github.com/wonted-project/wonted/scoring/profile"
)

// keptKey is the file in data_dir that holds a key of our own making.
const keptKey = "identity_key"

// identitySecret is the key under which identities are hashed: the file that
// identity_key names; else one that is made once and kept in data_dir, since
// without it no snapshot could be read again; else a random one for this
// process alone.
func identitySecret(cfg *config.Config, log zerolog.Logger) (identity.Secret, error) {
	if cfg.IdentityKey != "" {
		s, err := identity.LoadSecret(cfg.IdentityKey)
		if err != nil {
			return s, advise(err, "identity_key names a file of exactly 32 random bytes, the same for all replicas: head -c 32 /dev/urandom > %s", cfg.IdentityKey)
		}
		return s, nil
	}
	if cfg.DataDir == "" {
		log.Info().Msg("no identity_key: a random one is used, so profiles end with this process and do not compare with another's")
		return identity.NewSecret(), nil
	}
	file := filepath.Join(cfg.DataDir, keptKey)
	s, err := identity.LoadSecret(file)
	if err == nil {
		return s, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return s, advise(err, "profiles in %s were made with that key: restore the file, or remove it to start anew", cfg.DataDir)
	}
	s = identity.NewSecret()
	if err := profile.ReplaceFile(file, s[:]); err != nil { // half a key would be refused forever after
		return s, advise(fmt.Errorf("keep an identity key: %w", err), "make %s writable, or name a key with identity_key", cfg.DataDir)
	}
	log.Info().Str("file", file).Msg("no identity_key: one was made and is kept in data_dir; replicas that are to share profiles need the same")
	return s, nil
}
