package etl

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// How a server is known to be the one that it says: by a certificate that an
// authority signed which the system or the definition trusts.

// trust is the TLS configuration of a server; without ca_file the system's
// authorities count.
func (c *Connect) trust(host string) (*tls.Config, error) {
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return config, nil
	}
	content, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, &FileError{Where: "read connect.ca_file", What: err.Error(), Do: "put the authority's certificate there, or correct the path"}
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(content) {
		return nil, &FileError{Where: "read connect.ca_file", What: c.CAFile + " holds no certificate in PEM", Do: "ask for the authority's certificate as text that begins with -----BEGIN CERTIFICATE-----"}
	}
	return config, nil
}

// distrusted says what is wrong with a server's certificate and what to do, ""
// if that is not what is wrong. Another try would not help.
func distrusted(err error) (what, do string) {
	var refused *tls.CertificateVerificationError
	if !errors.As(err, &refused) {
		return "", ""
	}
	what = fmt.Sprintf("the server's certificate is not trusted, so nothing was sent: %v", refused.Err)
	var (
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &name):
		do = "write the name that the certificate has into the address; if it is right, ask who runs the server"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		do = "see whether this machine's clock is right; if it is, ask who runs the server for a new certificate"
	default:
		do = "name the certificate of the authority that signed it in connect.ca_file; if it is there, ask who runs the server"
	}
	return what, do
}
