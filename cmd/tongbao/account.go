package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"tongbao/pipeline"
	"tongbao/register"
	"tongbao/warehouse"
	"tongbao/web"
)

func (a *app) accountCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "account",
		Short: "Accounts of the portal: add, list, disable, password, link",
		Long: `Accounts of the portal. A password is asked for twice on a terminal, or read as one line
from stdin; with --link nobody but its owner ever knows it: the link sets it, once, within
24 hours. Every act is in the audit log with the name of the system's user.`,
		Args: cobra.NoArgs,
	}
	command.AddCommand(a.accountAdd(), a.accountList(), a.accountDisable("disable", true), a.accountDisable("enable", false), a.accountPassword(), a.accountLink())
	return command
}

// withRegister opens the register beside the service and says who acts.
func (a *app) withRegister(ctx context.Context, do func(pipeline.Workspace, *register.Register, register.By) error) error {
	workspace, err := pipeline.FindWorkspace(a.dir)
	if err != nil {
		return err
	}
	reg, err := workspace.OpenRegister(ctx)
	if err != nil {
		return err
	}
	defer reg.Close()
	by := register.By{Account: "system", From: "command line", At: a.now()}
	if who, err := user.Current(); err == nil {
		by.Account = "system user " + who.Username
	}
	return accountError(do(workspace, reg, by))
}

// accountError makes what a person can put right an error of usage.
func accountError(err error) error {
	var account *register.AccountError
	var password *register.PasswordError
	if errors.As(err, &account) || errors.As(err, &password) || errors.Is(err, register.ErrNoAccount) {
		return &usageError{err}
	}
	return err
}

func (a *app) accountAdd() *cobra.Command {
	command := &cobra.Command{Use: "add NAME", Short: "Add an account", Args: cobra.ExactArgs(1)}
	var account register.Account
	var roles []string
	for _, role := range register.Roles() {
		roles = append(roles, string(role))
	}
	flags := command.Flags()
	role := flags.String("role", "", strings.Join(roles, ", "))
	flags.StringVar(&account.Display, "display", "", "how pages call the person or post (default: the name)")
	flags.StringVar(&account.Line, "line", "", "line of the role line: "+strings.Join(register.Lines(), ", "))
	flags.StringVar(&account.Unit, "unit", "", "code of the community of the role unit")
	flags.StringVar(&account.Subject, "subject", "", "who this is at the identity provider of portal: oidc (its claim sub)")
	link := flags.Bool("link", false, "print a link that sets the password, instead of asking for one")
	command.RunE = func(command *cobra.Command, args []string) error {
		account.Name, account.Role = args[0], register.Role(*role)
		return a.withRegister(command.Context(), func(w pipeline.Workspace, reg *register.Register, by register.By) error {
			password := ""
			if !*link {
				var err error
				if password, err = a.readPassword(); err != nil {
					return err
				}
				account.MustChange = true // who typed it here knows it
			}
			if err := reg.AddAccount(command.Context(), by, account, password); err != nil {
				return err
			}
			if *link {
				return a.printLink(command.Context(), w, reg, by, account.Name)
			}
			fmt.Fprintf(a.stderr, "account %s is added; its password has to be changed at the first sign-in\n", account.Name)
			return nil
		})
	}
	return command
}

func (a *app) accountList() *cobra.Command {
	command := &cobra.Command{Use: "list", Short: "List the accounts", Args: cobra.NoArgs}
	command.RunE = func(command *cobra.Command, _ []string) error {
		return a.withRegister(command.Context(), func(_ pipeline.Workspace, reg *register.Register, _ register.By) error {
			accounts, err := reg.Accounts(command.Context())
			if err != nil {
				return err
			}
			rows := warehouse.Rows{Columns: []string{"name", "display", "role", "line", "unit", "state", "created"}}
			for _, one := range accounts {
				state := "open"
				switch {
				case one.IsDisabled:
					state = "disabled"
				case !one.HasPassword:
					state = "no password yet"
				case one.MustChange:
					state = "must change the password"
				}
				rows.Cells = append(rows.Cells, texts(one.Name, one.Display, string(one.Role), one.Line, one.Unit, state, shortTime(one.CreatedAt)))
			}
			return a.print(rows)
		})
	}
	return command
}

func (a *app) accountDisable(use string, disable bool) *cobra.Command {
	command := &cobra.Command{Use: use + " NAME", Short: strings.ToUpper(use[:1]) + use[1:] + " an account; its sessions end", Args: cobra.ExactArgs(1)}
	command.RunE = func(command *cobra.Command, args []string) error {
		return a.withRegister(command.Context(), func(_ pipeline.Workspace, reg *register.Register, by register.By) error {
			account, err := reg.Account(command.Context(), args[0])
			if err != nil {
				return err
			}
			account.IsDisabled = disable
			return reg.SetAccount(command.Context(), by, account)
		})
	}
	return command
}

func (a *app) accountPassword() *cobra.Command {
	command := &cobra.Command{Use: "password NAME", Short: "Give an account a password; it has to be changed at the next sign-in", Args: cobra.ExactArgs(1)}
	command.RunE = func(command *cobra.Command, args []string) error {
		return a.withRegister(command.Context(), func(_ pipeline.Workspace, reg *register.Register, by register.By) error {
			if _, err := reg.Account(command.Context(), args[0]); err != nil {
				return err
			}
			password, err := a.readPassword()
			if err != nil {
				return err
			}
			return reg.SetPassword(command.Context(), by, args[0], password, true)
		})
	}
	return command
}

func (a *app) accountLink() *cobra.Command {
	command := &cobra.Command{Use: "link NAME", Short: "Print a link with which the account's owner sets the password, once, within 24 hours", Args: cobra.ExactArgs(1)}
	command.RunE = func(command *cobra.Command, args []string) error {
		return a.withRegister(command.Context(), func(w pipeline.Workspace, reg *register.Register, by register.By) error {
			return a.printLink(command.Context(), w, reg, by, args[0])
		})
	}
	return command
}

func (a *app) printLink(ctx context.Context, w pipeline.Workspace, reg *register.Register, by register.By, name string) error {
	secret, err := reg.NewLink(ctx, by, name)
	if err != nil {
		return err
	}
	address := ""
	if config := w.Config.Portal; config != nil {
		switch address = strings.TrimSuffix(config.URL, "/"); {
		case address != "":
		case config.Listen != "":
			address = "http://" + config.Listen
		}
		if address == "http://"+config.Listen && config.Certificate != "" {
			address = "https://" + config.Listen
		}
	}
	if address == "" {
		address = "http://" + web.DefaultListen
	}
	_, err = fmt.Fprintln(a.stdout, address+web.LinkPath(secret))
	return err
}

// readPassword asks twice on a terminal; else it reads one line of stdin.
func (a *app) readPassword() (string, error) {
	if file, isFile := a.stdin.(*os.File); isFile && term.IsTerminal(int(file.Fd())) {
		var typed [2][]byte
		for i, prompt := range []string{"password: ", "again: "} {
			fmt.Fprint(a.stderr, prompt)
			var err error
			if typed[i], err = term.ReadPassword(int(file.Fd())); err != nil {
				return "", fmt.Errorf("read password: %w", err)
			}
			fmt.Fprintln(a.stderr)
		}
		if string(typed[0]) != string(typed[1]) {
			return "", &usageError{errors.New("the two passwords differ")}
		}
		return string(typed[0]), nil
	}
	line, err := bufio.NewReader(io.LimitReader(a.stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", &usageError{errors.New("no password on stdin; type one line, or use --link")}
	}
	return line, nil
}
