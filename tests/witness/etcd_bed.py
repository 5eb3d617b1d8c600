"""Real etcd servers on loopback, and the witness program as hbd runs it: a socket of messages.

Ports are the kernel's choice, files are in a directory of the test's own; servers and programs are ended
by their process ids.
"""
import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.request

BUILD = os.environ.get("BUILD", "build/release")
ETCD = shutil.which("etcd")
if not ETCD:
	print("there is no etcd: packaging/install-deps test")
	sys.exit(77)


def until(condition, seconds, what):
	end = time.monotonic() + seconds
	while time.monotonic() < end:
		value = condition()
		if value:
			return value
		time.sleep(0.02)
	raise AssertionError("after %d s still not: %s" % (seconds, what))


def free_ports(count):
	sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
	ports = [each.getsockname()[1] for each in sockets]
	for each in sockets:
		each.close()
	return ports


def b64(text):
	return base64.b64encode(text.encode()).decode()


class Member:
	def __init__(self, bed, name, client, peer, cluster, options=()):
		self.bed, self.name, self.process = bed, name, None
		self.url = "%s://127.0.0.1:%d" % ("https" if options else "http", client)
		self.command = [ETCD, "--name", name, "--data-dir", "%s/%s" % (bed.path, name), "--log-level",
				"error", "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
				"--listen-peer-urls", "http://127.0.0.1:%d" % peer,
				"--initial-advertise-peer-urls", "http://127.0.0.1:%d" % peer,
				"--initial-cluster", cluster, *options]

	def start(self):
		self.log = open("%s/%s.log" % (self.bed.path, self.name), "ab")
		self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)
		return self

	def kill(self, number=signal.SIGKILL):
		self.process.send_signal(number)
		if number == signal.SIGKILL:
			self.process.wait()

	def call(self, path, body):
		request = urllib.request.Request(self.url + path, json.dumps(body).encode())
		return json.load(urllib.request.urlopen(request, timeout=5))

	def close(self):
		if self.process and self.process.poll() is None:
			self.process.send_signal(signal.SIGCONT)
			self.process.kill()
			self.process.wait()
		self.log.close()


class Program:
	"""plugins/witness/etcd with the settings given, at the other end of a socket."""

	def __init__(self, bed, settings):
		ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		self.socket, self.last, self.late = ours, 0, {}
		self.said = open("%s/said.%d" % (bed.path, len(bed.open)), "w+")
		self.process = subprocess.Popen([BUILD + "/plugins/witness/etcd", "witness"], stdin=theirs,
						stdout=theirs, stderr=self.said)
		theirs.close()
		bed.open.append(self)
		self.socket.send(json.dumps({"contract": 1, "action": "witness", "cluster": "c", "node": "lb1",
					     "parameters": settings}).encode())

	def ask(self, **request):
		self.last += 1
		self.socket.send(json.dumps(dict(request, id=self.last)).encode() + b"\n")
		return self.last

	def answer(self, id, seconds=5):
		self.socket.settimeout(seconds)
		while id not in self.late:
			line = self.socket.recv(65536)
			assert line, "the program ended: " + self.log()
			answer = json.loads(line)
			self.late[answer.pop("id")] = answer
		return self.late.pop(id)

	def read(self, key="c/web"):
		return self.answer(self.ask(call="read", key=key))

	def swap(self, revision, expected, value, key="c/web"):
		"""expected: None for revision 0"""
		request = {"revision": revision, "expected": expected, "value": value}
		return self.answer(self.ask(call="swap", key=key, **{k: v for k, v in request.items() if v is not None}))

	def log(self):
		self.said.flush()
		return open(self.said.name, errors="replace").read()

	def close(self):
		self.socket.close()
		try:
			self.process.wait(5)
		except subprocess.TimeoutExpired:
			self.process.kill()
			self.process.wait()
		self.said.close()


class Cutter:
	"""A proxy before a server that passes a request on, and cuts the connection before its answer."""

	def __init__(self, bed, port):
		self.server = socket.create_server(("127.0.0.1", 0))
		self.url = "http://127.0.0.1:%d" % self.server.getsockname()[1]
		self.port, self.mode = port, "pass"
		bed.open.append(self)
		threading.Thread(target=self.serve, daemon=True).start()

	def serve(self):
		while True:
			try:
				client, _ = self.server.accept()
			except OSError:
				return
			threading.Thread(target=self.carry, args=(client,), daemon=True).start()

	def carry(self, client):
		try:
			with client, socket.create_connection(("127.0.0.1", self.port)) as server:
				while data := client.recv(65536):
					server.sendall(data)
					answer = server.recv(65536)
					if self.mode == "cut":
						return
					if self.mode != "pass":
						time.sleep(self.mode)
					client.sendall(answer)
		except OSError:
			pass

	def close(self):
		self.server.close()


class Bed:
	def __init__(self):
		self.path = tempfile.mkdtemp(prefix="hbd-etcd-")
		self.open = []

	def etcd(self, count=1, options=()):
		ports = free_ports(2 * count)
		names = ["m%d" % i for i in range(count)]
		cluster = ",".join("%s=http://127.0.0.1:%d" % (names[i], ports[2 * i + 1]) for i in range(count))
		members = [Member(self, names[i], ports[2 * i], ports[2 * i + 1], cluster, options).start()
			   for i in range(count)]
		self.open += members
		return members

	def witness(self, members, **settings):
		"""A program whose servers answer already, unless told not to wait."""
		wait = settings.pop("wait", True)
		endpoints = [member if isinstance(member, str) else member.url for member in members]
		program = Program(self, dict(settings, endpoints=endpoints))
		if wait:
			until(lambda: "error" not in program.read("c/none"), 20,
			      lambda: "an answer: " + program.log())
		return program

	def certificates(self):
		"""An authority, a server and a client of it."""
		def openssl(*arguments):
			subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.path)
		key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
		openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
			"/CN=authority")
		with open(self.path + "/san", "w") as file:
			file.write("subjectAltName=IP:127.0.0.1\n")
		for name in ("server", "client"):
			openssl("req", *key, "-keyout", name + ".key", "-out", name + ".csr", "-subj",
				"/CN=" + name)
			openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key",
				"-CAcreateserial", "-out", name + ".pem", "-days", "2", "-extfile", "san")
		return {name: "%s/%s" % (self.path, name) for name in
			("ca.pem", "ca.key", "server.pem", "server.key", "client.pem", "client.key")}

	def file(self, name, text):
		path = os.path.join(self.path, name)
		with open(path, "w") as file:
			file.write(text)
		return path

	def close(self):
		for thing in reversed(self.open):
			thing.close()
		shutil.rmtree(self.path)


def run(tests):
	failed = 0
	for test in tests:
		bed, sentence = Bed(), test.__name__.replace("_", " ")
		try:
			test(bed)
			print("ok", sentence, flush=True)
		except Exception:
			failed += 1
			traceback.print_exc(file=sys.stdout)
			print("not ok", sentence, flush=True)
		finally:
			bed.close()
	sys.exit(1 if failed else 0)
