"""What the alert tests share: the scribe with its plugins, real servers on loopback, patience.

Each test is a function named as a sentence; run() calls them one after another, prints "ok" or "not
ok" and the sentence, and ends with 1 if one failed. All servers listen on ports that the kernel
chooses, all files are in a directory of the test's own, which goes away with it.
"""
import email
import email.policy
import http.server
import json
import os
import pwd
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

BUILD = os.environ.get("BUILD", "build/release")

try:
	from aiosmtpd.controller import Controller
	from aiosmtpd.smtp import AuthResult
except ImportError:
	print("python3-aiosmtpd is not installed")
	sys.exit(77)

CONFIGURATION = """
cluster = "shop"; user = "%s";
nodes = ( { name = "lb1"; links = ( "192.0.2.2%%lo" ); },
	  { name = "lb2"; links = ( "192.0.2.3%%lo" ); } );
keys = ( "/nowhere" );
groups = ( { name = "web"; addresses = ( "192.0.2.1/24 dev lo" ); } );
alerts = ( %s );
"""


def until(condition, seconds, what):
	"""Waits until condition() is true and returns that; fails with what() or what after seconds."""
	end = time.monotonic() + seconds
	while time.monotonic() < end:
		value = condition()
		if value:
			return value
		time.sleep(0.02)
	raise AssertionError("after %d s still not: %s" % (seconds, what() if callable(what) else what))


class Bed:
	"""A directory that a user without privileges can reach, with copies of the alert plugins."""

	def __init__(self):
		self.path = tempfile.mkdtemp(prefix="hbd-alert-")
		os.chmod(self.path, 0o755)
		shutil.copytree(BUILD + "/plugins/alert", self.path + "/plugins/alert")
		self.open = []

	def file(self, name, text, mode=0o644):
		path = os.path.join(self.path, name)
		os.makedirs(os.path.dirname(path), exist_ok=True)
		with open(path, "w") as file:
			file.write(text)
		os.chmod(path, mode)
		return path

	def close(self):
		for thing in reversed(self.open):
			thing.close()
		shutil.rmtree(self.path)

	def certificate(self, name="server", host="localhost"):
		"""A self-signed certificate: its own authority. Returns (certificate, key)."""
		cert, key = self.path + "/%s.pem" % name, self.path + "/%s.key" % name
		subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
				"ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
				"-days", "2", "-subj", "/CN=" + host, "-addext",
				"subjectAltName=DNS:%s,IP:127.0.0.1" % host],
			       check=True, capture_output=True)
		return cert, key

	def plugin(self, name, parameters, timeout_ms=5000, action="send", **facts):
		"""Runs an alert plugin by hand. Returns (exit status, output)."""
		document = {"contract": 1, "action": action, "id": "1-1", "subject": "a subject",
			    "short": "a short text", "text": "a long text\n", "severity": "critical",
			    "kind": "takeover", "parameters": parameters}
		document.update(facts)
		run = subprocess.run([self.path + "/plugins/alert/" + name, action],
				     input=json.dumps(document).encode(), capture_output=True,
				     env={"HBD_TIMEOUT_MS": str(timeout_ms), "PATH": os.environ["PATH"],
					  "TZ": "UTC"}, timeout=60)
		return run.returncode, (run.stdout + run.stderr).decode()

	def scribe(self, alerts, **options):
		scribe = Scribe(self, alerts, **options)
		self.open.append(scribe)
		return scribe

	def smtp(self, **options):
		server = Smtp(**options)
		self.open.append(server)
		return server

	def http(self, answers=None):
		server = Http(answers)
		self.open.append(server)
		return server


class Scribe:
	"""The scribe process, told by tests/tools/scribe_host what happens."""

	def __init__(self, bed, alerts, state="state", user=None, before=()):
		if user is None:
			user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
		self.state_dir = os.path.join(bed.path, state)
		if not os.path.exists(self.state_dir):
			os.mkdir(self.state_dir)
			shutil.chown(self.state_dir, user)
		conf = bed.file("hbd.conf", CONFIGURATION % (user, alerts))
		self.states, self.log = [], []
		self.process = subprocess.Popen(
			[*before, BUILD + "/tests/tools/scribe_host", conf, self.state_dir,
			 bed.path + "/plugins"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
			stderr=subprocess.PIPE, text=True, bufsize=1)
		self.threads = [threading.Thread(target=self._read, args=pair, daemon=True) for pair in
				((self.process.stdout, self.states), (self.process.stderr, self.log))]
		for thread in self.threads:
			thread.start()

	@staticmethod
	def _read(stream, lines):
		for line in stream:
			lines.append(line.rstrip("\n"))

	def tell(self, line):
		self.process.stdin.write(line + "\n")

	def takeover(self, group="web", reason="peer-silent", severity="critical"):
		self.tell("alert takeover %s %s %s" % (severity, reason, group))

	def pending(self):
		states = [line for line in self.states if line.startswith("state ")]
		return int(states[-1].split()[2]) if states else None

	def taken(self):
		states = [line for line in self.states if line.startswith("state ")]
		return int(states[-1].split()[1]) if states else 0

	def spooled(self):
		try:
			names = os.listdir(self.state_dir + "/spool")
		except FileNotFoundError:
			return []
		return sorted(name for name in names if name.endswith(".alert"))

	def said(self, text):
		return [line for line in self.log if text in line]

	def until_said(self, text, seconds=15):
		return until(lambda: self.said(text), seconds,
			     lambda: "'%s' in the log:\n%s" % (text, "\n".join(self.log)))

	def until_empty(self, seconds=20):
		until(lambda: self.pending() == 0 and not self.spooled(), seconds,
		      lambda: "the spool is empty: %s\n%s" % (self.states[-3:], "\n".join(self.log)))

	def finish(self, how="term"):
		"""Ends it and returns its exit status."""
		self.tell(how)
		self.process.stdin.close()
		self.process.wait(20)
		for thread in self.threads:
			thread.join(5)
		ended = [line for line in self.states if line.startswith("ended")]
		return ended[-1] if ended else "still there"

	def close(self):
		if self.process.poll() is None:
			self.process.kill()
			self.process.wait(10)


class Smtp:
	"""A real SMTP server. answers: what RCPT is answered, by recipient."""

	def __init__(self, port=0, certificate=None, smtps=False, login=None, answers=None):
		self.mails, self.recipients, self.answers = [], [], dict(answers or {})
		options = {"hostname": "127.0.0.1", "port": port or free_port()}
		if certificate:
			context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
			context.load_cert_chain(*certificate)
			options["ssl_context" if smtps else "tls_context"] = context
			if not smtps:
				options["require_starttls"] = True
		if login:
			options["auth_required"] = True
			options["auth_require_tls"] = not smtps
			options["authenticator"] = lambda server, session, envelope, mechanism, data: \
				AuthResult(success=(data.login.decode(), data.password.decode()) == login,
					   handled=False)
		self.port = options["port"]
		self.controller = Controller(self, **options)
		self.controller.start()

	async def handle_RCPT(self, server, session, envelope, address, options):
		answer = self.answers.get(address, "250 OK")
		if answer.startswith("250"):
			envelope.rcpt_tos.append(address)
		return answer

	async def handle_DATA(self, server, session, envelope):
		mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
		self.mails.append(mail)
		self.recipients.append(envelope.rcpt_tos)
		return "250 2.0.0 taken"

	def until(self, count, seconds=15, what="mails"):
		until(lambda: len(self.mails) >= count, seconds,
		      lambda: "%d %s, but %d" % (count, what, len(self.mails)))
		return self.mails

	def close(self):
		if self.controller:
			self.controller.stop()
			self.controller = None


class Http:
	"""An HTTP gateway. answers: (status, text) for one request after another, the last for good."""

	def __init__(self, answers=None):
		answers, requests = list(answers or [(200, "OK")]), []

		class Handler(http.server.BaseHTTPRequestHandler):
			def answer(self):
				length = int(self.headers.get("Content-Length", 0))
				requests.append((self.command, self.path, dict(self.headers),
						 self.rfile.read(length).decode()))
				status, text = answers.pop(0) if len(answers) > 1 else answers[0]
				self.send_response(status)
				self.end_headers()
				self.wfile.write(text.encode())

			do_GET = do_POST = answer

			def log_message(self, *arguments):
				pass

		self.requests = requests
		self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.port = self.server.server_address[1]
		self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
		self.thread.start()

	def until(self, count, seconds=15):
		until(lambda: len(self.requests) >= count, seconds,
		      lambda: "%d requests, but %d" % (count, len(self.requests)))
		return self.requests

	def close(self):
		self.server.shutdown()
		self.server.server_close()


def free_port():
	import socket
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def run(tests):
	"""Runs functions of a bed; BED_ONLY in the environment chooses by a part of the name."""
	failed = 0
	for test in tests:
		if os.environ.get("BED_ONLY", "") not in test.__name__:
			continue
		name = test.__name__.replace("_", " ")
		bed = Bed()
		begin = time.monotonic()
		try:
			skipped = test(bed)
			print("ok %s (%.1f s)%s" % (name, time.monotonic() - begin,
						    " # skip " + skipped if skipped else ""), flush=True)
		except Exception:
			failed += 1
			print("not ok %s\n%s" % (name, traceback.format_exc()), flush=True)
			for thing in bed.open:
				if isinstance(thing, Scribe):
					print("  log of the scribe:\n    " + "\n    ".join(thing.log[-40:]))
		finally:
			bed.close()
	sys.exit(1 if failed else 0)
