#!/usr/bin/python3
"""plugins/alert/email against a real SMTP server: TLS, passwords, refusals, what a mail looks like."""
import email.utils
import os
import socket
import subprocess
import sys
import json

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import free_port, run  # noqa: E402

LOGIN = ("alerts", "secret")


def send(bed, port, **parameters):
	facts = parameters.pop("facts", {})
	document = {"to": ["ops@example.org"], "server": "127.0.0.1:%d" % port, "from": "hbd@lb1.example"}
	document.update(parameters)
	return bed.plugin("email", {name: value for name, value in document.items() if value is not None},
			  **facts)


def secure(bed, **options):
	cert = bed.certificate()
	return bed.smtp(certificate=cert, **options), cert[0]


def a_mail_has_what_mail_programs_want(bed):
	server = bed.smtp()
	status, output = send(bed, server.port, to=["Ops <ops@example.org>", "b@example.org"],
			      facts={"text": "line one\n.dot\n" + "x" * 200 + " end \nlast"})
	assert status == 0, output
	mail = server.mails[0]
	assert mail["From"] == "hbd@lb1.example" and mail["To"] == "Ops <ops@example.org>, b@example.org"
	assert mail["Subject"] == "a subject"
	assert mail["Message-ID"].startswith("<1-1.") and mail["Message-ID"].endswith("@lb1.example>")
	assert mail["Auto-Submitted"] == "auto-generated" and mail["X-Hbd-Severity"] == "critical"
	assert mail["Importance"] == "high" and mail["MIME-Version"] == "1.0"
	assert abs(email.utils.parsedate_to_datetime(mail["Date"]).timestamp() -
		   __import__("time").time()) < 60
	text = mail.get_content().replace("\r\n", "\n")
	assert text == "line one\n.dot\n" + "x" * 200 + " end \nlast\n", repr(text)
	assert server.recipients == [["ops@example.org"], ["b@example.org"]]
	assert server.mails[0]["Message-ID"] == server.mails[1]["Message-ID"]


def unicode_arrives(bed):
	server = bed.smtp()
	subject = "Störung auf lb1: Lüftung, Straße, 中文字符 und noch viel mehr Text, der umgebrochen wird"
	status, output = send(bed, server.port, facts={"subject": subject, "text": "Größe = 3 €\n"})
	assert status == 0, output
	assert server.mails[0]["Subject"] == subject, server.mails[0]["Subject"]
	assert server.mails[0].get_content().strip() == "Größe = 3 €"


def a_long_subject_is_folded_and_whole(bed):
	server = bed.smtp()
	subject = " ".join("word%d" % number for number in range(25))
	assert send(bed, server.port, facts={"subject": subject})[0] == 0
	assert server.mails[0]["Subject"] == subject


def starttls_and_a_password(bed):
	server, ca_file = secure(bed, login=LOGIN)
	password = bed.file("password", "secret\n", 0o600)
	status, output = send(bed, server.port, ca_file=ca_file, user="alerts", password_file=password,
			      tls="required")
	assert status == 0 and len(server.mails) == 1, output


def tls_from_the_start(bed):
	server, ca_file = secure(bed, smtps=True, login=LOGIN)
	password = bed.file("password", "secret\n", 0o600)
	status, output = send(bed, server.port, server="smtps://localhost:%d" % server.port,
			      ca_file=ca_file, user="alerts", password_file=password)
	assert status == 0 and len(server.mails) == 1, output


def a_wrong_password_is_permanent_and_named(bed):
	server, ca_file = secure(bed, login=LOGIN)
	password = bed.file("password", "wrong\n", 0o600)
	status, output = send(bed, server.port, ca_file=ca_file, user="alerts", password_file=password,
			      tls="required")
	assert status == 1 and "535" in output, (status, output)
	assert "wrong" not in output and not server.mails


def a_password_is_on_no_command_line(bed):
	server, ca_file = secure(bed, login=LOGIN)
	password = bed.file("password", "secret\n", 0o600)
	trace = bed.path + "/trace"
	document = {"contract": 1, "id": "1", "subject": "s", "short": "s", "text": "t", "severity": "info",
		    "kind": "test", "parameters": {
			"to": "a@example.org", "server": "localhost:%d" % server.port, "ca_file": ca_file,
			"user": "alerts", "password_file": password, "tls": "required"}}
	if subprocess.run(["which", "strace"], capture_output=True).returncode:
		return "strace is not installed"
	subprocess.run(["strace", "-f", "-e", "trace=execve", "-v", "-s", "4096", "-o", trace,
			bed.path + "/plugins/alert/email", "send"], input=json.dumps(document).encode(),
		       capture_output=True, timeout=60)
	assert len(server.mails) == 1
	assert "secret" not in open(trace).read()


def an_untrusted_certificate_is_refused(bed):
	server, _ = secure(bed)
	status, output = send(bed, server.port, tls="required")
	assert status == 1 and "certificate" in output, (status, output)
	assert not server.mails


def a_certificate_of_another_name_is_refused(bed):
	cert = bed.certificate(host="elsewhere.example")
	server = bed.smtp(certificate=cert)
	status, output = send(bed, server.port, server="localhost:%d" % server.port, tls="required",
			      ca_file=cert[0])
	assert status == 1 and "localhost" in output, (status, output)
	assert not server.mails


def verification_can_be_switched_off_and_is_said(bed):
	server, _ = secure(bed)
	status, output = send(bed, server.port, tls="required", tls_verify=False)
	assert status == 0 and "tls_verify is false" in output, (status, output)


def a_server_without_starttls_gets_nothing_if_it_is_required(bed):
	server = bed.smtp()
	status, output = send(bed, server.port, tls="required")
	assert status == 1 and not server.mails, (status, output)
	assert 'set tls = "off"' in output, output


def optional_starttls_is_used_where_offered(bed):
	plain = bed.smtp()
	assert send(bed, plain.port, tls="optional")[0] == 0
	server, ca_file = secure(bed)
	assert send(bed, server.port, tls="optional", ca_file=ca_file)[0] == 0
	assert len(plain.mails) == 1 and len(server.mails) == 1


def no_password_leaves_the_machine_in_the_clear(bed):
	password = bed.file("password", "secret\n", 0o600)
	for tls in ("off", "optional"):
		status, output = send(bed, 25, server="192.0.2.1:25", tls=tls, user="alerts",
				      password_file=password)
		assert status == 1 and "only with tls" in output, (status, output)


def no_server_is_temporary(bed):
	status, output = send(bed, free_port())
	assert status == 75 and "connect" in output, (status, output)


def a_name_that_is_not_known_is_temporary(bed):
	status, output = send(bed, 25, server="mail.invalid", tls="off")
	assert status == 75 and "mail.invalid" in output, (status, output)


def a_server_that_hangs_is_given_up_in_time(bed):
	with socket.socket() as hung:
		hung.bind(("127.0.0.1", 0))
		hung.listen(1)
		status, output = bed.plugin("email", {"to": "a@example.org", "server": "127.0.0.1:%d" %
						      hung.getsockname()[1]}, timeout_ms=1500)
	assert status == 75 and "imed out" in output, (status, output)


def a_greylisted_recipient_is_temporary(bed):
	server = bed.smtp(answers={"ops@example.org": "451 4.7.1 come back later"})
	status, output = send(bed, server.port)
	assert status == 75 and "451 4.7.1 come back later" in output, (status, output)


def each_refused_recipient_is_named_and_the_others_get_it(bed):
	server = bed.smtp(answers={"gone@example.org": "550 5.1.1 no such user",
				   "later@example.org": "451 4.7.1 later"})
	status, output = send(bed, server.port, to=["a@example.org", "gone@example.org",
						    "later@example.org", "b@example.org"])
	assert status == 1, (status, output)
	assert "gone@example.org: " in output and "550 5.1.1 no such user" in output, output
	assert "451 4.7.1 later" in output, output
	assert server.recipients == [["a@example.org"], ["b@example.org"]]


def bad_parameters_are_named(bed):
	for parameters, text in (
			({"to": None}, "parameter to is missing"),
			({"to": 5}, "parameter to must be a string or a list of strings"),
			({"to": []}, "parameter to must be"),
			({"to": "a b@c"}, "is not a mail address"),
			({"to": "a@c\r\nBcc: x@y"}, "is not plain ASCII"),
			({"to": "x@y> SIZE=1 <z@y"}, "is not a mail address"),
			({"from": "<>"}, "is not a mail address"),
			({"tls": "yes"}, "one of: required optional off"),
			({"server": "http://x"}, "begins with neither"),
			({"user": "x"}, "no password_file"),
			({"user": "x", "password_file": "/nowhere"}, "password_file: /nowhere: No such file"),
			({"ca_file": "/nowhere", "tls": "required"}, "ca_file: /nowhere cannot be read")):
		status, output = send(bed, free_port(), **parameters)
		assert status == 1 and text in output, (parameters, status, output)


def a_misspelt_option_does_not_cost_the_mail(bed):
	server = bed.smtp()
	status, output = send(bed, server.port, fron="x@y")
	assert status == 0 and "parameter fron is not known" in output, (status, output)


def nonsense_on_standard_input_is_refused(bed):
	for text in (b"", b"[]", b"{", b'{"contract": 2}', b'{"contract": 1, "parameters": {"to": "a@b"}}'):
		process = subprocess.run([bed.path + "/plugins/alert/email", "send"], input=text,
					 capture_output=True, timeout=30)
		assert process.returncode == 1 and process.stdout, (text, process)


def describe_is_json(bed):
	for name in ("email", "sms", "exec"):
		process = subprocess.run([bed.path + "/plugins/alert/" + name, "describe"],
					 capture_output=True, timeout=30)
		document = json.loads(process.stdout)
		assert document["name"] == name and document["contract"] == 1
		assert "to" in [parameter["name"] for parameter in document["parameters"]]


run([value for value in list(globals().values())
     if getattr(value, "__module__", "") == "__main__" and value not in (send, secure)])
