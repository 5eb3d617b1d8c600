#!/usr/bin/python3
"""plugins/witness/etcd against real servers: what it answers, and what it survives."""
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from etcd_bed import Cutter, Program, b64, run, until  # noqa: E402


def a_record_is_read_swapped_and_refused(bed):
	witness = bed.witness(bed.etcd())
	assert witness.read() == {"revision": 0}
	assert witness.swap(7, "nothing", "to replace") == {"revision": 0, "swapped": False}
	text = '{"holder":"lb1"} äöü "quoted"'
	first = witness.swap(0, None, text)
	assert first["swapped"] and first["revision"] > 0, first
	assert witness.read() == {"revision": first["revision"], "value": text}
	second = witness.swap(first["revision"], text, "two")
	assert second["swapped"] and second["revision"] > first["revision"], second
	present = {"revision": second["revision"], "swapped": False, "value": "two"}
	assert witness.swap(first["revision"], "two", "three") == present
	# a register that forgot and counts anew may use a revision again
	assert witness.swap(second["revision"], text, "three") == present
	assert witness.read("c/other") == {"revision": 0}


def of_two_that_swap_one_wins_each_time(bed):
	members = bed.etcd()
	programs = [bed.witness(members), bed.witness(members)]
	revision, present = programs[0].swap(0, None, "begin")["revision"], "begin"
	for i in range(200):
		asked = [program.ask(call="swap", key="c/web", revision=revision, expected=present, value="%d %d" % (i, n))
			 for n, program in enumerate(programs)]
		answers = [program.answer(asked[n]) for n, program in enumerate(programs)]
		winners = [n for n, answer in enumerate(answers) if answer["swapped"]]
		assert len(winners) == 1, answers
		revision = answers[winners[0]]["revision"]
		present = "%d %d" % (i, winners[0])
		assert answers[1 - winners[0]] == {"revision": revision, "swapped": False, "value": present}, answers


def certificates_of_both_sides_are_verified(bed):
	files = bed.certificates()
	server = bed.etcd(options=("--cert-file", files["server.pem"], "--key-file", files["server.key"],
				   "--client-cert-auth", "--trusted-ca-file", files["ca.pem"]))
	good = {"ca": files["ca.pem"], "cert": files["client.pem"], "key": files["client.key"]}
	witness = bed.witness(server, **good)
	assert witness.swap(0, None, "sealed")["swapped"]
	stranger = bed.witness(server, wait=False, **dict(good, ca=files["client.pem"]))
	assert "certificate" in stranger.read()["error"].lower()
	nobody = bed.witness(server, wait=False, ca=files["ca.pem"])
	assert "error" in nobody.read()


def a_user_with_a_password_is_let_in(bed):
	member, = bed.etcd()
	bed.witness([member])
	for path, body in (("user/add", {"name": "root", "password": "r"}),
			   ("user/add", {"name": "hbd", "password": "p w"}),
			   ("role/add", {"name": "witness"}),
			   ("role/grant", {"name": "witness", "perm": {"permType": "READWRITE", "key": b64("/hbd/"),
								       "range_end": b64("/hbd0")}}),
			   ("user/grant", {"user": "root", "role": "root"}),
			   ("user/grant", {"user": "hbd", "role": "witness"}), ("enable", {})):
		member.call("/v3/auth/" + path, body)
	password = bed.file("password", "p w\n")
	witness = bed.witness([member], user="hbd", password_file=password)
	assert witness.swap(0, None, "mine")["swapped"]
	# a token does not outlive the server
	member.kill()
	member.start()
	until(lambda: "error" not in witness.read(), 20, witness.log)
	assert witness.read()["value"] == "mine"
	wrong = bed.witness([member], wait=False, user="hbd", password_file=bed.file("other", "x"))
	assert "authentication failed" in wrong.read()["error"]
	elsewhere = bed.witness([member], wait=False, user="hbd", password_file=password, prefix="/other/")
	assert "permission denied" in elsewhere.read()["error"]
	anonymous = bed.witness([member], wait=False)
	assert "error" in anonymous.read()


def a_dead_endpoint_costs_a_moment_and_then_nothing(bed):
	member, = bed.etcd()
	dead = "http://192.0.2.1:2379"	# nobody answers there, not even to refuse
	witness = bed.witness([dead, member])
	times = []
	for _ in range(20):
		begun = time.monotonic()
		assert "error" not in witness.read()
		times.append(time.monotonic() - begun)
	assert sorted(times)[10] < 0.03, times


def leaders_come_and_go(bed):
	members = bed.etcd(3)
	witness = bed.witness(members)
	revision, last = witness.swap(0, None, "0")["revision"], "0"

	def leader():
		for member in members:
			if member.process.poll() is None:
				status = member.call("/v3/maintenance/status", {})
				if status["header"]["member_id"] == status.get("leader"):
					return member
		return None

	for i, number in enumerate((signal.SIGKILL, signal.SIGSTOP)):
		gone = until(leader, 20, "a leader")
		gone.kill(number)
		# what became of a swap that was not answered, a read tells
		begun, value = time.monotonic(), "%d" % (i + 1)
		answer = witness.swap(revision, last, value)
		while "error" in answer:
			assert time.monotonic() - begun < 20, witness.log()
			present = witness.read()
			if present.get("value") == value:
				answer = {"swapped": True, "revision": present["revision"]}
			elif "revision" in present:
				answer = witness.swap(present["revision"], present["value"], value)
		assert answer["swapped"], answer
		revision, last = answer["revision"], value
		assert witness.read()["value"] == value
		if number == signal.SIGKILL:
			gone.start()
			time.sleep(2)
		else:
			gone.kill(signal.SIGCONT)
	assert witness.read()["revision"] == revision


def compaction_and_defragmentation_lose_nothing(bed):
	member, = bed.etcd()
	witness = bed.witness([member])
	revision = 0
	for i in range(20):
		answer = witness.swap(revision, "%d" % (i - 1) if i else None, "%d" % i)
		assert answer["swapped"], answer
		revision = answer["revision"]
	member.call("/v3/kv/compaction", {"revision": str(revision), "physical": True})
	member.call("/v3/maintenance/defragment", {})
	assert witness.read() == {"revision": revision, "value": "19"}
	assert witness.swap(revision, "19", "after")["swapped"]


def a_swap_whose_answer_was_lost_shows_in_the_register(bed):
	member, = bed.etcd()
	cutter = Cutter(bed, int(member.url.rsplit(":", 1)[1]))
	witness = bed.witness([cutter.url])
	assert witness.read() == {"revision": 0}
	cutter.mode = "cut"
	answer = witness.swap(0, None, "done, but nobody said so")
	assert "error" in answer, answer
	cutter.mode = "pass"
	assert witness.read()["value"] == "done, but nobody said so"


def a_copy_of_a_swap_that_was_done_is_called_done(bed):
	member, = bed.etcd()
	cutter = Cutter(bed, int(member.url.rsplit(":", 1)[1]))
	witness = bed.witness([cutter.url, member])
	cutter.mode = "cut"
	for i in range(10):
		present = witness.read()
		answer = witness.swap(present["revision"], present.get("value"), "copied %d" % i)
		assert answer["swapped"], answer
		assert witness.read() == {"revision": answer["revision"], "value": "copied %d" % i}


def slow_answers_are_given_up_and_hold_up_no_other(bed):
	member, = bed.etcd()
	cutter = Cutter(bed, int(member.url.rsplit(":", 1)[1]))
	witness = bed.witness([cutter.url], timeout_ms=200)
	cutter.mode = 1.0
	begun = time.monotonic()
	slow = witness.ask(call="read", key="c/web")
	assert "error" in witness.answer(slow)
	assert time.monotonic() - begun < 0.8
	cutter.mode = "pass"
	until(lambda: "error" not in witness.read(), 5, witness.log)


def trouble_is_said_once_and_when_it_is_over(bed):
	member, = bed.etcd()
	witness = bed.witness([member])
	member.kill()
	for _ in range(5):
		assert "error" in witness.read()
	member.start()
	until(lambda: "error" not in witness.read(), 20, witness.log)
	lines = [line for line in witness.log().splitlines() if member.url in line]
	assert sum("refused" in line or "Connect" in line for line in lines) <= 2, lines
	assert lines[-1] == member.url + " answers again", lines


def what_is_no_request_is_ignored(bed):
	witness = bed.witness(bed.etcd())
	for line in (b"garbage\n", b"{}\n", b'{"id": 3}\n', b'{"id": 4, "call": "swap", "key": "x"}\n', b"\xff\0\n",
		     b'{"id": 4, "call": "swap", "key": "x", "revision": 3, "value": "y"}\n',
		     b'{"id": -1, "call": "read", "key": "x"}\n'):
		witness.socket.send(line)
	assert witness.read() == {"revision": 0}
	assert witness.log().count("no request") == 7, witness.log()


def it_ends_with_its_input(bed):
	members = bed.etcd()
	for busy in (False, True):
		witness = bed.witness(members)
		if busy:
			witness.ask(call="read", key="c/web")
		witness.socket.close()
		assert witness.process.wait(5) == 0, witness.log()


def a_wrong_setting_is_named(bed):
	for settings, word in (({}, "endpoints"), ({"endpoints": ["10.0.0.1:2379"]}, "https://HOST:2379"),
			       ({"endpoints": ["http://x:1"], "certificate": "y"}, "certificate: no such setting"),
			       ({"endpoints": ["http://x:1"], "user": "y"}, "user and password_file"),
			       ({"endpoints": ["http://x:1"], "timeout_ms": "1s"}, "timeout_ms")):
		program = Program(bed, settings)
		assert program.process.wait(5) == 1 and word in program.log(), (settings, program.log())


def many_at_once_are_all_answered(bed):
	witness = bed.witness(bed.etcd())
	asked = [witness.ask(call="swap", key="c/%d" % i, revision=0, value="v") for i in range(32)]
	assert all(witness.answer(id)["swapped"] for id in asked)


run([value for value in list(globals().values()) if getattr(value, "__module__", "") == "__main__"])
