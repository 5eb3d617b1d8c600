#!/usr/bin/python3
"""plugins/alert/sms and exec: HTTP gateways, gammu-smsd and smstools as they are, other programs."""
import glob
import json
import os
import shutil
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bed import free_port, run, until  # noqa: E402

SHORT = 'lb1 & "lb2" = 50% äöü + {to} \\ ?'


def send(bed, **parameters):
	facts = {"short": parameters.pop("short", SHORT)}
	document = {"to": ["+49 172/1"]}
	document.update(parameters)
	return bed.plugin("sms", document, **facts)


def a_get_has_number_and_text_in_its_url(bed):
	gateway = bed.http()
	status, output = send(bed, url="http://127.0.0.1:%d/send?to={to}&text={text}&x={y}" % gateway.port)
	assert status == 0, output
	method, path, headers, body = gateway.requests[0]
	query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
	assert method == "GET" and query["to"] == ["+49 172/1"] and query["text"] == [SHORT], path
	assert headers["User-Agent"].startswith("hbd/")


def a_form_is_posted(bed):
	gateway = bed.http()
	status, output = send(bed, url="http://127.0.0.1:%d/send" % gateway.port,
			      form="To={to}&From=hbd&Body={text}")
	assert status == 0, output
	method, path, headers, body = gateway.requests[0]
	assert method == "POST" and headers["Content-Type"] == "application/x-www-form-urlencoded"
	assert urllib.parse.parse_qs(body) == {"To": ["+49 172/1"], "From": ["hbd"], "Body": [SHORT]}, body


def json_is_posted(bed):
	gateway = bed.http()
	status, output = send(bed, url="http://127.0.0.1:%d/send" % gateway.port,
			      json='{"messages": [{"to": "{to}", "content": "{text}", "ref": "{id}"}]}')
	assert status == 0, output
	method, path, headers, body = gateway.requests[0]
	assert method == "POST" and headers["Content-Type"] == "application/json"
	assert json.loads(body) == {"messages": [{"to": "+49 172/1", "content": SHORT, "ref": "1-1"}]}, body


def a_token_is_a_bearer_unless_something_asks_for_it(bed):
	gateway = bed.http()
	url, token = "http://127.0.0.1:%d/" % gateway.port, bed.file("token", "s3cret\n", 0o600)
	assert send(bed, url=url, token_file=token)[0] == 0
	assert send(bed, url=url, token_file=token, headers=["X-Key: {token}", "X-More: 1"])[0] == 0
	assert send(bed, url=url + "?key={token}", token_file=token)[0] == 0
	assert gateway.requests[0][2]["Authorization"] == "Bearer s3cret"
	assert gateway.requests[1][2]["X-Key"] == "s3cret" and gateway.requests[1][2]["X-More"] == "1"
	assert "Authorization" not in gateway.requests[1][2]
	assert gateway.requests[2][1] == "/?key=s3cret" and "Authorization" not in gateway.requests[2][2]


def basic_authentication(bed):
	gateway = bed.http()
	password = bed.file("password", "Aladdin:sesame\n", 0o600)
	assert send(bed, url="http://127.0.0.1:%d/" % gateway.port, user="me", password_file=password)[0] == 0
	assert gateway.requests[0][2]["Authorization"] == "Basic bWU6QWxhZGRpbjpzZXNhbWU="


def answers_decide_how_it_ends(bed):
	for status, text, match, expected in (
			(200, "OK", None, 0), (202, "", None, 0), (204, "", None, 0),
			(200, "status: OK 17", "OK [0-9]+", 0),
			(200, "ERROR: no credit", "OK", 1),
			(301, "elsewhere", None, 1), (400, "bad number", None, 1), (401, "who?", None, 1),
			(408, "slow", None, 75), (429, "too many", None, 75), (500, "oops", None, 75),
			(503, "later", None, 75)):
		gateway = bed.http([(status, text)])
		parameters = {"url": "http://127.0.0.1:%d/" % gateway.port}
		if match:
			parameters["match"] = match
		ended, output = send(bed, **parameters)
		assert ended == expected and text in output, (status, text, ended, output)


def no_gateway_is_temporary(bed):
	status, output = send(bed, url="http://127.0.0.1:%d/" % free_port())
	assert status == 75 and "connect" in output, (status, output)


def a_gateway_that_fails_once_is_tried_again(bed):
	gateway = bed.http([(500, "oops"), (200, "OK")])
	scribe = bed.scribe('{ plugin = "sms"; to = ( "+15550100" ); url = "http://127.0.0.1:%d/?t={text}"; }'
			    % gateway.port)
	scribe.takeover()
	gateway.until(2)
	scribe.until_empty()
	scribe.until_said("has got 1 event after 1 failed tries")
	assert len(gateway.requests) == 2
	text = urllib.parse.parse_qs(urllib.parse.urlsplit(gateway.requests[1][1]).query)["t"][0]
	assert text == "lb2 is offline. lb1 is primary now for web. There is no standby until lb2 is " \
		"repaired.", text


def bad_parameters_are_named(bed):
	for parameters, text in (
			({}, "neither url nor handover is set"),
			({"url": "http://x/", "handover": "gammu"}, "both set"),
			({"url": "http://x/", "form": "a", "json": "b"}, "one body"),
			({"url": "ftp://x/"}, "not supported"), ({"url": "file:///etc/passwd"}, "not supported"),
			({"url": "http://x/{token}"}, "nothing to put in for {token}"),
			({"url": "http://x/", "match": "("}, "match: "),
			({"url": "http://x/", "headers": ["X: {to}"], "to": "a\nb"}, "control character"),
			({"handover": "pigeon"}, "one of: smstools gammu"),
			({"handover": "gammu", "to": "-c/etc/shadow"}, "is not a telephone number"),
			({"handover": "smstools", "to": "../../x"}, "is not a telephone number")):
		status, output = send(bed, **parameters)
		assert status == 1 and text in output, (parameters, status, output)


def smstools_gets_a_file_by_its_rules(bed):
	directory = bed.path + "/outgoing"
	os.mkdir(directory)
	status, output = send(bed, handover="smstools", directory=directory, to=["+49 (172) 123-4567"],
			      short="lb1 ist aus: Störung")
	assert status == 0, output
	names = os.listdir(directory)
	assert len(names) == 1 and not names[0].endswith(".LOCK") and names[0][0] != ".", names
	path = os.path.join(directory, names[0])
	assert open(path).read() == "To: 491721234567\nAlphabet: UTF-8\n\nlb1 ist aus: Störung\n"
	assert os.stat(path).st_mode & 0o777 == 0o660


def smstools_that_is_not_there_is_said(bed):
	status, output = send(bed, handover="smstools", directory=bed.path + "/none", to="+49172")
	assert status == 1 and "No such file" in output, (status, output)


def gammu_smsd_sends_it(bed):
	if not shutil.which("gammu-smsd"):
		return "gammu-smsd is not installed"
	for name in ("inbox", "outbox", "sent", "errors", "phone"):
		os.mkdir(os.path.join(bed.path, name))
	config = bed.file("smsdrc", "[gammu]\nmodel = dummy\nconnection = none\ndevice = %s/phone\n"
			  "[smsd]\nservice = files\nlogfile = %s/smsd.log\ncommtimeout = 1\n"
			  "sendtimeout = 5\nloopsleep = 1\nstatusfrequency = 0\n" % (bed.path, bed.path) +
			  "".join("%spath = %s/%s/\n" % pair for pair in (
				("inbox", bed.path, "inbox"), ("outbox", bed.path, "outbox"),
				("sentsms", bed.path, "sent"), ("errorsms", bed.path, "errors"))))
	daemon = subprocess.Popen(["gammu-smsd", "-c", config], stdout=subprocess.DEVNULL,
				  stderr=subprocess.DEVNULL)
	try:
		for short in ("lb1 is offline. lb2 is primary now.", "Störung: lb1 ist aus"):
			status, output = send(bed, handover="gammu", config=config, to=["+15550100"],
					      short=short)
			assert status == 0, output
		until(lambda: len(os.listdir(bed.path + "/sent")) >= 2, 20,
		      lambda: "two messages were sent: %s" % glob.glob(bed.path + "/*box/*"))
	finally:
		daemon.terminate()
		daemon.wait(20)
	texts = [open(path, "rb").read() for path in sorted(glob.glob(bed.path + "/sent/*"))]
	assert all("+15550100" in name for name in os.listdir(bed.path + "/sent"))
	assert any(b"lb1 is offline. lb2 is primary now." in text or
		   "lb1 is offline".encode("utf-16-be") in text for text in texts), texts


def gammu_that_fails_is_said(bed):
	status, output = send(bed, handover="gammu", program="/bin/false", to="+1")
	assert status == 75 and "/bin/false ended with status 1" in output, (status, output)
	status, output = send(bed, handover="gammu", program="/nowhere", to="+1")
	assert status == 1 and "/nowhere cannot be started: No such file" in output, (status, output)


def exec_hands_the_message_to_a_program(bed):
	program = bed.file("program", "#!/bin/sh\necho \"$1|$2\" >%s/arguments\ncat >%s/input\nexit $3\n"
			   % (bed.path, bed.path), 0o755)
	for status in (0, 75, 3):
		ended, output = bed.plugin("exec", {"command": [program, "a b", "$(id)", str(status)]})
		assert ended == status, (ended, output)
	assert open(bed.path + "/arguments").read() == "a b|$(id)\n"
	document = json.load(open(bed.path + "/input"))
	assert document["subject"] == "a subject" and document["severity"] == "critical"


def exec_says_what_cannot_be_started(bed):
	status, output = bed.plugin("exec", {"command": "/nowhere/at all"})
	assert status == 1 and "/nowhere/at all cannot be started: No such file" in output


def exec_from_the_scribe_has_the_facts_in_its_environment(bed):
	program = bed.file("program", "#!/bin/sh\nenv >%s/tmp.$$ && mv %s/tmp.$$ %s/environment\n"
			   % ((bed.path,) * 3), 0o755)
	os.chmod(bed.path, 0o1777)
	# the plugins' directory must not be in one that everybody may write to
	scribe = bed.scribe('{ plugin = "exec"; command = "%s"; secret = "hidden"; }' % program)
	scribe.takeover()
	until(lambda: os.path.exists(bed.path + "/environment"), 15, lambda: "\n".join(scribe.log))
	text = open(bed.path + "/environment").read()
	for line in ("HBD_ACTION=send", "HBD_SEVERITY=critical", "HBD_KIND=takeover", "HBD_GROUP=web",
		     "HBD_REASON=peer-silent", "HBD_NODE=lb1", "HBD_PEER=lb2", "HBD_CLUSTER=shop",
		     "HBD_TEST=false",
		     "HBD_SHORT=lb2 is offline. lb1 is primary now for web. There is no standby until lb2 "
		     "is repaired."):
		assert line + "\n" in text, (line, text)
	assert "hidden" not in text


run([value for value in list(globals().values())
     if getattr(value, "__module__", "") == "__main__" and value is not send])
