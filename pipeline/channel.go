package pipeline

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/smtp"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tongbao/register"
)

// message is the generic JSON of webhooks and of the file drop.
type message struct {
	ID    int64     `json:"id"`
	Key   string    `json:"key"` // the same news has the same key
	Event string    `json:"event"`
	Title string    `json:"title"`
	Text  string    `json:"text"`
	Run   int64     `json:"run"`
	At    time.Time `json:"at"`
}

// send tells one notice over the channel.
func (c Channel) send(ctx context.Context, workspace string, n register.Notice) error {
	var err error
	switch c.Kind {
	case "smtp":
		err = c.mail(ctx, n)
	case "file":
		err = c.drop(workspace, n)
	default:
		err = c.post(ctx, n)
	}
	if err != nil {
		return sendError(c, err)
	}
	return nil
}

func plainMessage(n register.Notice) message {
	return message{n.ID, n.Key, n.Event, n.Title, n.Text, n.Run, n.CreatedAt}
}

// drop writes a notice as one whole file.
func (c Channel) drop(workspace string, n register.Notice) error {
	folder := c.Folder
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(workspace, folder)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return writeJSON(filepath.Join(folder, fmt.Sprintf("%s-%06d-%s.json", n.CreatedAt.Format("20060102-150405"), n.ID, n.Event)), plainMessage(n))
}

// post sends a notice as JSON. DingTalk, WeCom and Feishu want a form of their
// own, and answer 200 also when they refuse; their errcode tells.
func (c Channel) post(ctx context.Context, n register.Notice) error {
	address := os.Getenv(c.URLEnv)
	if address == "" {
		return fmt.Errorf("environment variable %s with the address is not set", c.URLEnv)
	}
	body, address, err := c.body(n, address, os.Getenv(c.SecretEnv), time.Now())
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("its address cannot be read")
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	if secret := os.Getenv(c.SecretEnv); c.Kind == "webhook" && secret != "" {
		request.Header.Set("X-Tongbao-Signature", "sha256="+hex.EncodeToString(sign(secret, string(body))))
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err // without the address
		}
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return refusedByCode(answer)
}

// body is what a kind of robot wants, and the address with its signature.
func (c Channel) body(n register.Notice, address, secret string, now time.Time) ([]byte, string, error) {
	text := n.Title + "\n" + n.Text
	var value any = plainMessage(n)
	switch c.Kind {
	case "dingtalk", "wecom":
		value = map[string]any{"msgtype": "text", "text": map[string]string{"content": text}}
	case "feishu":
		feishu := map[string]any{"msg_type": "text", "content": map[string]string{"text": text}}
		if secret != "" {
			stamp := strconv.FormatInt(now.Unix(), 10)
			feishu["timestamp"] = stamp
			feishu["sign"] = base64.StdEncoding.EncodeToString(sign(stamp+"\n"+secret, ""))
		}
		value = feishu
	}
	if c.Kind == "dingtalk" && secret != "" {
		stamp := strconv.FormatInt(now.UnixMilli(), 10)
		signed, err := url.Parse(address)
		if err != nil {
			return nil, "", errors.New("its address cannot be read")
		}
		query := signed.Query()
		query.Set("timestamp", stamp)
		query.Set("sign", base64.StdEncoding.EncodeToString(sign(secret, stamp+"\n"+secret)))
		signed.RawQuery = query.Encode()
		address = signed.String()
	}
	body, err := json.Marshal(value)
	return body, address, err
}

func sign(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// refusedByCode reads errcode (DingTalk, WeCom) or code (Feishu); an answer
// without either is a yes.
func refusedByCode(answer []byte) error {
	var said struct {
		ErrCode int `json:"errcode"`
		Code    int `json:"code"`
	}
	if json.Unmarshal(answer, &said) == nil && said.ErrCode+said.Code != 0 {
		return fmt.Errorf("it refuses with code %d", said.ErrCode+said.Code)
	}
	return nil
}

// mail sends a notice by SMTP, within the deadline of the context.
func (c Channel) mail(ctx context.Context, n register.Notice) error {
	host, _, err := net.SplitHostPort(c.Server)
	if err != nil {
		return fmt.Errorf("server: %w; want host:port", err)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.Server)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, isBound := ctx.Deadline(); isBound {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if c.TLS == "implicit" {
		conn = tls.Client(conn, &tls.Config{ServerName: host})
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	defer client.Close()
	if c.TLS == "starttls" {
		if err := client.StartTLS(&tls.Config{ServerName: host}); err != nil {
			return fmt.Errorf("starttls: %w (tls: none sends without)", err)
		}
	}
	if user := os.Getenv(c.UserEnv); c.UserEnv != "" {
		if user == "" || os.Getenv(c.PasswordEnv) == "" {
			return fmt.Errorf("environment variables %s and %s with the login are not set", c.UserEnv, c.PasswordEnv)
		}
		// PlainAuth itself refuses to send a password without TLS, but to loopback.
		if err := client.Auth(smtp.PlainAuth("", user, os.Getenv(c.PasswordEnv), host)); err != nil {
			return err
		}
	}
	return c.write(client, n)
}

func (c Channel) write(client *smtp.Client, n register.Notice) error {
	if err := client.Mail(c.From); err != nil {
		return err
	}
	for _, to := range c.To {
		if err := client.Rcpt(to); err != nil {
			return err
		}
	}
	writer, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := writer.Write(c.letter(n)); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	return client.Quit()
}

// letter is the mail. Its Message-Id is made of the notice, so that a mail
// that was sent twice because the first answer was lost is one for the reader.
func (c Channel) letter(n register.Notice) []byte {
	var letter bytes.Buffer
	_, domain, _ := strings.Cut(c.From, "@")
	fmt.Fprintf(&letter, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-Id: <tongbao-%d-%x@%s>\r\n",
		c.From, strings.Join(c.To, ", "), mime.QEncoding.Encode("utf-8", n.Title), n.CreatedAt.Format(time.RFC1123Z),
		n.ID, n.CreatedAt.UnixMilli(), domain)
	letter.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\nAuto-Submitted: auto-generated\r\n\r\n")
	body := quotedprintable.NewWriter(&letter)
	_, _ = body.Write([]byte(n.Text + "\n")) // a buffer takes everything
	_ = body.Close()
	return letter.Bytes()
}
