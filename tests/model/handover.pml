/*
 * A planned move, make before break (hbd/core/PROTOCOL.md 6.4): offer, ready, commit, claim. Two nodes
 * whose words say what each is, in the place of messages that must arrive. A word may be lost, late,
 * or overtaken by the next one; a node may crash, start again, have a fault and lose it, at any step.
 *
 * Time is explicit: a tick ages everything. What arrives is judged at once, as the loop does. Of each
 * node's words one is on the way; a later one takes its place, which is a loss. Whether the peer knows of
 * the present role or offer is kept by marks on the words, which a new role wipes off all of them.
 *
 * With WITNESS words may be late without bound, and who is not heard owns by the witness's vote (how
 * that is won is witness.pml's). Without it two that live hear each other within LG, and the LAN tells
 * whether a silent one still serves: heartbeats and LAN cut at once is what no pair without one survives.
 *
 * Constants: LH a granted lease, LG a promise, LW a vote, PATIENCE for the peer to get ready or to
 * take, in ticks; CRASHES, FAULTS and MOVES bound the run, CALM is how long it may take to end well
 * once both live and every word arrives. QUIET_LAN: no trouble but moves at any step, and then clients
 * must never see nobody. STRAGGLERS: a word may also come twice, or after later ones. BUG_... are mistakes that must be found.
 */
#ifdef QUIET_LAN	/* with one exchange a tick */
#define LH 3
#define LG 3
#endif
#ifndef LH
#define LH 2
#endif
#ifndef LG
#define LG 2
#endif
#ifndef LW
#define LW 2
#endif
#ifndef PATIENCE
#define PATIENCE 3
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef FAULTS
#define FAULTS 0
#endif
#ifndef MOVES
#define MOVES 1
#endif
#ifndef CALM
#define CALM 16
#endif

#define NONE 0		/* a role: not known. A move: none is under way */
#define QUIET 1
#define SECONDARY 2
#define CLAIMING 3	/* waits for the peer's vote, and owns nothing until then */
#define OWNER 4
#define DRAINING 5
#define FAULTY 6
#define OFFERED 1
#define READY 2
#define REFUSED 3

/* a node */
bool up[2];
byte role[2], move[2];
bool resigned[2];
bool takes_back[2];		/* it is resigned no more, and claims when the peer knows */
byte granted[2], voted[2];	/* its lease: the peer's vote or its own, and the witness's; left */
byte promised[2];		/* to the peer, left */
byte quiet[2];			/* restart silence, left */
byte heard[2];			/* until the peer counts as silent */
byte hold[2];			/* no claim on silence before */
byte wait[2];			/* PATIENCE left */
byte accepts[2];		/* draining: it takes in what is sent to the addresses, left */
byte knows_role[2], knows_offer[2];	/* it has taken in the peer's present ones */

/* the peer's newest word, as taken in */
byte said_role[2], said_move[2];
bool said_resigned[2], said_role_known[2], said_offer_known[2];
bool peer_owned[2];
byte said_age[2];		/* since it was sent: what a grant of it is worth */
byte known_age[2];		/* since that one of this node's was sent which it has taken in */

/* a word on the way; index: who said it; and behind those one that was overtaken */
bool word[4];
byte word_role[4], word_move[4], word_age[4], word_grant_age[4];
bool word_resigned[4], word_grants[4];
bool word_role_known[4], word_offer_known[4];	/* it has taken in the hearer's present ones */
bool word_role_fresh[4], word_offer_fresh[4];	/* it tells the sayer's present ones */

byte crashes, faults, moves, unserved;
bool calm, served;
byte calm_ticks;

#define OLD (LH + 1)
#define occupies(r) ((r) == CLAIMING || (r) == OWNER)
#define stands_by(r) ((r) == SECONDARY || (r) == DRAINING)
#define lease(n) (granted[n] > 0 || voted[n] > 0)
/* never two owners, and so never two that announce */
#define alone() assert(!(lease(0) && lease(1)))
#define takes_in(n) (lease(n) || (role[n] == DRAINING && accepts[n] > 0))

inline news(n)
{
	knows_role[1 - n] = 0;
	said_role_known[n] = 0;
	word_role_fresh[n] = 0;
	word_role_known[1 - n] = 0;
	word_role_fresh[2 + n] = 0;
	word_role_known[3 - n] = 0
}

inline become(n, r)
{
	role[n] = r;
	move[n] = NONE;
	takes_back[n] = 0;
	news(n)
}

inline let_go(n)
{
	granted[n] = 0;
	voted[n] = 0;
	wait[n] = 0;
	resigned[n] = 0;
	hold[n] = LG
}

inline offer(n)
{
	move[n] = OFFERED;
	wait[n] = PATIENCE;
	knows_offer[1 - n] = 0;
	said_offer_known[n] = 0;
	word_offer_fresh[n] = 0;
	word_offer_known[1 - n] = 0;
	word_offer_fresh[2 + n] = 0;
	word_offer_known[3 - n] = 0
}

inline lose(n)
{
	word[n] = 0;
	word_role[n] = NONE;
	word_move[n] = NONE;
	word_age[n] = 0;
	word_grant_age[n] = 0;
	word_resigned[n] = 0;
	word_grants[n] = 0;
	word_role_known[n] = 0;
	word_offer_known[n] = 0;
	word_role_fresh[n] = 0;
	word_offer_fresh[n] = 0
}

/* ---- words --------------------------------------------------------------------------------------- */

inline say(n)
{
#ifndef WITNESS
	/* whose peer is not heard, or could not claim, extends its lease by itself */
	if
	:: role[n] == OWNER && (heard[n] == 0 || said_role[n] == QUIET || said_role[n] == FAULTY) ->
		granted[n] = LH
	:: else
	fi;
#endif
	word[n] = 1;
	word_role[n] = role[n];
	word_move[n] = move[n];
	word_resigned[n] = resigned[n];
	word_grants[n] = promised[n] > 0 && !occupies(role[n]) && quiet[n] == 0 &&
			 occupies(said_role[n]);
	word_age[n] = 0;
	word_grant_age[n] = said_age[n];
	word_role_known[n] = knows_role[n];
	word_offer_known[n] = knows_offer[n];
	word_role_fresh[n] = 1;
	word_offer_fresh[n] = 1
}

inline take_grant(n, from)
{
	if
	:: lease(n) && (word_grants[from] || word_role[from] == QUIET) &&
	   LH > word_grant_age[from] + granted[n] -> granted[n] = LH - word_grant_age[from]
	:: role[n] == CLAIMING && word_grants[from] && word_role_known[from] &&
	   LH > word_grant_age[from] ->
		become(n, OWNER);
		granted[n] = LH - word_grant_age[from];
		alone()
	:: else
	fi
}

inline hear(n, from)
{
	heard[n] = LG;
	hold[n] = 0;
	said_role[n] = word_role[from];
	said_move[n] = word_move[from];
	said_resigned[n] = word_resigned[from];
	said_role_known[n] = word_role_known[from];
	said_offer_known[n] = word_offer_known[from];
	said_age[n] = word_age[from];
	known_age[n] = word_grant_age[from];
	if :: word_role_fresh[from] -> knows_role[n] = 1 :: else fi;
	if :: word_offer_fresh[from] -> knows_offer[n] = 1 :: else fi;
	if
	:: occupies(word_role[from]) -> promised[n] = LG; peer_owned[n] = 1
	:: else -> promised[n] = 0
	fi;
#ifdef QUIET_LAN
	if :: role[n] == DRAINING -> accepts[n] = LG :: else fi;
#endif
	take_grant(n, from);
	/* of two that wait for each other's vote, and beside an owner, one yields */
	if
	:: role[n] == CLAIMING && (word_role[from] == OWNER || (n == 1 && word_role[from] == CLAIMING)) ->
		become(n, SECONDARY);
		let_go(n)
	:: else
	fi;
	lose(from)
}

#ifdef STRAGGLERS
/* The word comes twice, or late. */
inline straggle(n)
{
	word[2 + n] = 1;
	word_role[2 + n] = word_role[n];
	word_move[2 + n] = word_move[n];
	word_age[2 + n] = word_age[n];
	word_grant_age[2 + n] = word_grant_age[n];
	word_resigned[2 + n] = word_resigned[n];
	word_grants[2 + n] = word_grants[n];
	word_role_known[2 + n] = word_role_known[n];
	word_offer_known[2 + n] = word_offer_known[n];
	word_role_fresh[2 + n] = word_role_fresh[n];
	word_offer_fresh[2 + n] = word_offer_fresh[n]
}

/* Of what its sender has gone past only the vote counts, from when that was asked for. */
inline hear_late(n, from)
{
#ifdef BUG_OLD_WORD
	hear(n, from)
#else
	take_grant(n, from);
	lose(from)
#endif
}
#endif

/* ---- decisions ----------------------------------------------------------------------------------- */

inline claim(n, lasts)
{
	become(n, OWNER);
	let_go(n);
	hold[n] = 0;
	granted[n] = lasts;
	peer_owned[n] = 0;
	alone()
}

/* The peer let go, and knows of this node's role: it cannot claim meanwhile. */
inline claim_given(n)
{
#ifdef WITNESS
	if
	:: known_age[n] < LH -> claim(n, LH - known_age[n])
	:: else
	fi
#else
	claim(n, LH)
#endif
}

/* It could claim too. */
inline claim_asked(n)
{
#ifdef WITNESS
	become(n, CLAIMING);
	let_go(n);
	hold[n] = 0;
	wait[n] = PATIENCE;
	peer_owned[n] = 0
#else
	claim(n, LH)
#endif
}

inline claim_silent(n)
{
#ifdef WITNESS
	if
	:: voted[1 - n] == 0 -> claim(n, 0); voted[n] = LW; alone()
	:: else
	fi
#else
	if
	:: !lease(1 - n) -> claim(n, LH)	/* nobody answers on the LAN */
	:: else
	fi
#endif
}

inline commit(n)
{
#if CRASHES == 0 && FAULTS == 0 && !defined(WITNESS)
	assert(move[1 - n] == READY);	/* nothing is let go before */
#endif
	become(n, DRAINING);
#ifdef BUG_KEEP_LEASE
	hold[n] = LG;
#else
	let_go(n);
#endif
	resigned[n] = 1;
	wait[n] = PATIENCE;
#ifdef QUIET_LAN
	accepts[n] = LG
#endif
}

inline judge_offer(n)
{
	if
	:: role[n] != OWNER || move[n] != OFFERED
	:: role[n] == OWNER && move[n] == OFFERED ->
		if
		:: heard[n] == 0 || !stands_by(said_role[n]) -> move[n] = NONE
#ifndef BUG_NO_END
		:: wait[n] == 0 -> move[n] = NONE
		:: heard[n] > 0 && said_offer_known[n] && said_move[n] == REFUSED -> move[n] = NONE
#endif
#ifdef BUG_NOT_READY
		:: heard[n] > 0 && said_offer_known[n] && said_move[n] != REFUSED -> commit(n)
#elif defined(BUG_OLD_READY)
		:: heard[n] > 0 && stands_by(said_role[n]) && said_move[n] == READY -> commit(n)
#else
		:: heard[n] > 0 && stands_by(said_role[n]) && said_offer_known[n] &&
		   said_move[n] == READY -> commit(n)
#endif
		:: else
		fi
	fi
}

inline judge_invitation(n)
{
	if
	:: stands_by(role[n]) && heard[n] > 0 && !said_resigned[n] ->
		if
		:: move[n] == NONE && said_role[n] == OWNER && said_move[n] == OFFERED ->
			if
			:: move[n] = READY
			:: move[n] = REFUSED
			:: !calm			/* it prepares */
			fi
		:: move[n] != NONE && !(said_role[n] == OWNER && said_move[n] == OFFERED) ->
			move[n] = NONE
		:: else
		fi
	:: else
	fi
}

/* The last connection is over, or time is up. */
inline judge_drain(n)
{
	if
	:: role[n] == DRAINING && heard[n] > 0 && said_role[n] == OWNER && move[n] == NONE ->
		if
		:: become(n, SECONDARY); let_go(n)
		:: !calm
		fi
	:: role[n] == DRAINING && said_role[n] != OWNER && move[n] == NONE && !resigned[n] &&
	   !takes_back[n] && wait[n] == 0 ->
		become(n, SECONDARY);
		let_go(n)
	:: else
	fi
}

inline judge_vacancy(n)
{
	if
#ifndef BUG_UNKNOWN_ROLE
	:: !said_role_known[n]
#endif
	:: said_role_known[n] && !resigned[n] &&
	   (said_role[n] == FAULTY || (said_role[n] == QUIET && peer_owned[n])) -> claim_given(n)
#ifdef BUG_UNKNOWN_ROLE
	:: said_resigned[n]
#else
	:: said_role_known[n] && said_resigned[n]
#endif
	   ->
#ifdef QUIET_LAN
		assert(move[n] == READY);
#endif
#ifdef NEVER_MOVED
		assert(false);
#endif
		claim_given(n)
	/* not taken: first the peer must know that it may take it no more */
#ifdef BUG_TAKE_BACK
	:: said_role_known[n] && !said_resigned[n] && resigned[n] && wait[n] == 0 -> claim_asked(n)
#else
	:: said_role_known[n] && !said_resigned[n] && resigned[n] && wait[n] == 0 ->
		resigned[n] = 0;
		takes_back[n] = 1;
		news(n)
#endif
	:: said_role_known[n] && !said_resigned[n] && takes_back[n] && said_role[n] == SECONDARY ->
#ifdef NEVER_TAKEN_BACK
		assert(false);
#endif
		claim_asked(n)
	:: said_role_known[n] && !said_resigned[n] && !resigned[n] && said_role[n] == SECONDARY &&
	   n == 0 -> claim_asked(n)	/* elected */
	:: else
	fi
}

inline judge_claim(n)
{
	if
	:: !stands_by(role[n]) || quiet[n] > 0
	:: stands_by(role[n]) && quiet[n] == 0 && heard[n] > 0 && said_role[n] != NONE ->
		if
		:: occupies(said_role[n]) -> resigned[n] = 0; takes_back[n] = 0
		:: else -> judge_vacancy(n)
		fi
	:: stands_by(role[n]) && quiet[n] == 0 && heard[n] == 0 && promised[n] == 0 && hold[n] == 0 ->
		claim_silent(n)
	:: else
	fi
}

inline judge(n)
{
	if
	:: up[n] ->
		if
		:: role[n] == CLAIMING && wait[n] == 0 -> become(n, SECONDARY); let_go(n)
		:: else
		fi;
		judge_offer(n);
		judge_invitation(n);
		judge_drain(n);
		judge_claim(n);
#ifdef WITNESS
		/* the vote that keeps an owner alone, and its end when the peer grants again */
		if
		:: role[n] == OWNER && heard[n] == 0 && voted[1 - n] == 0 -> voted[n] = LW; alone()
		:: role[n] == OWNER && heard[n] > 0 && granted[n] > 0 -> voted[n] = 0
		:: else
		fi
#endif
	:: else
	fi
}

/* ---- time and trouble ---------------------------------------------------------------------------- */

#define less(v) if :: v > 0 -> v-- :: else fi
#define more(v) if :: v < OLD -> v++ :: else fi

/* Without a witness what was not heard until the second tick never is. */
inline pass(n)
{
	if
#if defined(WITNESS) || defined(BUG_OLD_WORD)
	:: word[n] -> more(word_age[n]); more(word_grant_age[n])
#else
	:: word[n] && word_age[n] == 0 -> word_age[n] = 1; more(word_grant_age[n])
	:: word[n] && word_age[n] > 0 -> lose(n)
#endif
	:: else
	fi
}

inline age(n)
{
	less(granted[n]);
	less(voted[n]);
	less(promised[n]);
	less(heard[n]);
	less(hold[n]);
	less(wait[n]);
	less(accepts[n]);
	more(said_age[n]);
	more(known_age[n]);
	pass(n);
	pass(2 + n);
	if
	:: quiet[n] == 1 && up[n] ->
		quiet[n] = 0;
		become(n, SECONDARY);
		hold[n] = LG
	:: quiet[n] > 1 -> quiet[n]--
	:: else
	fi;
	if
	:: role[n] == OWNER && !lease(n) -> become(n, SECONDARY); let_go(n)
	:: else
	fi
}

inline forget(n)
{
	become(n, NONE);
	let_go(n);
	hold[n] = 0;
	promised[n] = 0;
	quiet[n] = 0;
	heard[n] = 0;
	accepts[n] = 0;
	knows_role[n] = 0;
	knows_offer[n] = 0;
	said_role[n] = NONE;
	said_move[n] = NONE;
	said_resigned[n] = 0;
	said_offer_known[n] = 0;
	peer_owned[n] = 0;
	said_age[n] = OLD;
	known_age[n] = OLD;
	lose(1 - n);			/* of a session that nobody knows any more */
	lose(3 - n)
}

inline start(n)
{
	up[n] = 1;
	become(n, QUIET);
	quiet[n] = LG
}

/* What may not be waited for any longer. */
#ifdef WITNESS
#define timely true
#else
#define timely (!(up[0] && up[1]) || (heard[0] > 1 && heard[1] > 1))
#endif

#if defined(QUIET_LAN) && defined(STRAGGLERS)
#define may_straggle(n) if :: !word[2 + n] -> straggle(n) :: skip fi
#else
#define may_straggle(n) skip
#endif

inline exchange()
{
	say(0);
	may_straggle(0);
	hear(1, 0);
	judge(1);
	say(1);
	may_straggle(1);
	hear(0, 1);
	judge(0);
	judge(1);
	age(0);
	age(1)
}

inline settle(n)
{
	if
	:: !up[n] -> start(n)
	:: role[n] == FAULTY -> become(n, SECONDARY); let_go(n)
	:: else
	fi
}

#define can_offer(n) (!calm && moves < MOVES && up[n] && role[n] == OWNER && lease(n) && \
		      move[n] == NONE && heard[n] > 0 && stands_by(said_role[n]))
#ifdef STRAGGLERS
#define LATE(n, peer) \
	:: atomic { !calm && word[n] && !word[2 + n] -> straggle(n) } \
	:: atomic { !calm && word[2 + peer] && up[n] -> hear_late(n, 2 + peer); judge(n) }
#else
#define LATE(n, peer)
#endif
#define TROUBLE(n, peer) \
	:: atomic { !calm && up[n] -> say(n) } \
	:: atomic { !calm && word[peer] && up[n] -> hear(n, peer); judge(n) } \
	:: atomic { !calm && up[n] -> judge(n) } \
	LATE(n, peer) \
	:: atomic { !calm && up[n] && crashes < CRASHES -> crashes++; up[n] = 0; forget(n) } \
	:: atomic { !calm && !up[n] -> start(n) } \
	:: atomic { !calm && up[n] && faults < FAULTS && quiet[n] == 0 && role[n] != FAULTY -> \
		faults++; become(n, FAULTY); let_go(n) } \
	:: atomic { !calm && up[n] && role[n] == FAULTY -> become(n, SECONDARY); let_go(n); judge(n) }

init {
	d_step {
		forget(0);
		forget(1);
		start(0);
		start(1)
	}
	do
	:: atomic { can_offer(0) -> moves++; offer(0) }
	:: atomic { can_offer(1) -> moves++; offer(1) }
#ifdef QUIET_LAN
	:: atomic {
		exchange();
		if
		:: lease(0) || lease(1) -> served = 1; unserved = 0
		:: else -> unserved = unserved + served
		fi;
		/* what is sent is taken in by somebody, and nobody asks for long in vain */
		assert(!served || takes_in(0) || takes_in(1));
		assert(unserved <= 1) }
	LATE(0, 1)
	LATE(1, 0)
#else
	:: atomic { !calm && timely -> age(0); age(1) }
	TROUBLE(0, 1)
	TROUBLE(1, 0)
#ifdef ENDS
	/* from now on both live, and every word arrives: it ends with one owner, and nothing under way */
	:: atomic { !calm ->
		calm = 1;
		settle(0);
		settle(1);
		crashes = CRASHES;
		faults = FAULTS;
		moves = MOVES }
	:: atomic { calm && calm_ticks < CALM -> exchange(); calm_ticks++;
		assert(calm_ticks < CALM || (lease(0) != lease(1) && move[0] == NONE &&
					     move[1] == NONE && role[lease(1)] == OWNER &&
					     role[lease(0)] == SECONDARY)) }
#endif
#endif
	od
}
