package register

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Passwords are as NIST SP 800-63B wants them: long, of whatever is liked,
// and none that everybody tries first.
const (
	MinPassword = 12  // characters
	MaxPassword = 128 // characters
)

// argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one
// lane. Old hashes are made again at the next sign-in when these change.
const (
	hashMemory = 19 * 1024 // KiB
	hashTime   = 2
	hashLanes  = 1
	hashBytes  = 32
	saltBytes  = 16
)

// hashesAtOnce bounds what all sign-ins together take of memory and of the two
// cores.
const hashesAtOnce = 2

// PasswordError says why a password is not taken: Reason is short, long, name
// or common.
type PasswordError struct{ Reason string }

func (e *PasswordError) Error() string {
	return map[string]string{
		"short":  fmt.Sprintf("the password is too short: want at least %d characters; several words are good", MinPassword),
		"long":   fmt.Sprintf("the password is too long: want at most %d characters", MaxPassword),
		"name":   "the password contains the account's name",
		"common": "the password is one that everybody tries first, or a mere repetition; take several words instead",
	}[e.Reason]
}

// commonWords are what is left of the most used passwords without their digits
// and marks.
//
//go:embed common.txt
var commonWords string

// checkPassword holds a new password against the rules.
func checkPassword(password, name string) error {
	length := utf8.RuneCountInString(password)
	lower := strings.ToLower(password)
	switch {
	case length < MinPassword:
		return &PasswordError{"short"}
	case length > MaxPassword:
		return &PasswordError{"long"}
	case strings.Contains(lower, strings.ToLower(name)):
		return &PasswordError{"name"}
	case isCommon(lower):
		return &PasswordError{"common"}
	}
	return nil
}

// isCommon says whether a password is a run, a repetition, or a common word
// with digits and marks around it.
func isCommon(lower string) bool {
	runes := []rune(lower)
	steps, distinct := 0, map[rune]bool{}
	for i, one := range runes {
		distinct[one] = true
		if i > 0 && (one-runes[i-1] == 1 || runes[i-1]-one == 1 || one == runes[i-1]) {
			steps++
		}
	}
	// Digits and marks alone are a date, a telephone number or a code.
	if len(distinct) < 5 || steps >= len(runes)-3 || !strings.ContainsFunc(lower, unicode.IsLetter) {
		return true
	}
	for size := 1; size <= len(runes)/2; size++ {
		if part := string(runes[:size]); strings.HasPrefix(strings.Repeat(part, len(lower)/len(part)+1), lower) {
			return true
		}
	}
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, strings.NewReplacer("0", "o", "1", "i", "3", "e", "@", "a", "$", "s").Replace(strings.TrimRight(lower, "0123456789!@#$%^&*._-")))
	for word := range strings.FieldsSeq(commonWords) {
		if letters == word || strings.Trim(lower, "0123456789!@#$%^&*._-") == word || strings.Repeat(word, len(letters)/len(word)) == letters && letters != "" {
			return true
		}
	}
	return false
}

// hashPassword returns argon2id's usual text form.
func (r *Register) hashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	if err := r.takeHashing(ctx); err != nil {
		return "", err
	}
	defer func() { <-r.hashing }()
	key := argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashLanes, hashBytes)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("%s$%s$%s", hashHead(), encode(salt), encode(key)), nil
}

func hashHead() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d", argon2.Version, hashMemory, hashTime, hashLanes)
}

// fits says whether a password is the one that was hashed, and whether the
// hash is of today's parameters. "" is hashed too and fits nothing: an unknown
// name takes as long as a known one.
func (r *Register) fits(ctx context.Context, password, hash string) (fits, isCurrent bool, err error) {
	var version, memory, time, lanes int
	var salt, want []byte
	parts := strings.Split(hash, "$")
	known := false
	if len(parts) == 6 {
		_, failed := fmt.Sscanf(strings.Join(parts[:4], "$"), "$argon2id$v=%d$m=%d,t=%d,p=%d", &version, &memory, &time, &lanes)
		decode := base64.RawStdEncoding.DecodeString
		salt, err = decode(parts[4])
		if err == nil {
			want, err = decode(parts[5])
		}
		known = failed == nil && err == nil && version == argon2.Version
	}
	if !known {
		memory, time, lanes, salt, want = hashMemory, hashTime, hashLanes, make([]byte, saltBytes), make([]byte, hashBytes)
	}
	if err := r.takeHashing(ctx); err != nil {
		return false, false, err
	}
	defer func() { <-r.hashing }()
	got := argon2.IDKey([]byte(password), salt, uint32(time), uint32(memory), uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && known, strings.HasPrefix(hash, hashHead()), nil
}

func (r *Register) takeHashing(ctx context.Context) error {
	select {
	case r.hashing <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
