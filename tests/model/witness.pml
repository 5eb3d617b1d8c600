/*
 * Ownership with a witness (hbd/core/PROTOCOL.md 6.2): two nodes, and a register that knows no time.
 * An owner needs its own vote and one more: its peer's, or the register's.
 *
 * Time is explicit: a tick ages everything (Lamport, "Real-time model checking is really simple").
 * With DRIFT each clock may run twice as fast or stand still for one tick in four. Messages, swaps and
 * their answers may be delayed without bound or lost; a swap may be applied although its answer is lost,
 * and after its sender gave it up.
 *
 * Constants: LH a granted lease, LG a promise, LW a vote, WAIT before the other's vote may be taken, Q
 * restart silence, all in ticks; SWAPS and CRASHES bound the run. BUG_... are mistakes that must be found.
 */
#ifndef LH
#define LH 2
#endif
#ifndef LG
#define LG 2
#endif
#ifndef LW
#define LW 2
#endif
#ifndef WAIT
#define WAIT 2
#endif
#ifndef Q
#define Q LG
#endif
#ifndef SWAPS
#define SWAPS 3
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef LOSSES
#define LOSSES 0
#endif
#define NOBODY 2
#define IDLE 0
#define SENT 1
#define APPLIED 2

/* the register: the record's revision, its text (each is written once), and whom it names */
byte rev, text, holder = NOBODY;
byte texts;		/* written so far */

/* a node */
bool owns[2];		/* claims the group: it answers if it has a second vote */
byte granted[2];	/* the peer's vote, left */
byte voted[2];		/* the register's, left */
byte promised[2];	/* to the peer, left */
byte quiet[2];		/* restart silence, left */
byte seen_rev[2], seen_text[2], seen_holder[2], seen_age[2];
bool known[2];

/* its swap under way */
byte swap[2], swap_rev[2], swap_text[2], swap_holder[2], swap_age[2];
bool given_up[2];	/* nobody waits for the answer any more */
byte applied_rev[2], applied_text[2];	/* what it wrote */

/* its renewal under way, and the peer's answer to it */
byte renewal[2], renewal_age[2];

/* its word that it let go, its vote for whoever hears it: handed over, or said by its last will */
#define HANDED 1
#define DIED 2
byte word[2];
byte word_age[2];	/* since the peer sent what it had taken in */

byte swaps, crashes, losses, phase;

#define OWNER(x) (owns[x] && (granted[x] > 0 || voted[x] > 0))
#define OTHER(x) (1 - (x))

/* Never two owners; and what must be reachable, or nothing was shown. */
#if defined(NEVER_OWNS)
#define JUDGE assert(!OWNER(1))
#elif defined(NEVER_VOTED)
#define JUDGE assert(!(owns[1] && granted[1] == 0 && voted[1] > 0))
#else
#define JUDGE assert(!(OWNER(0) && OWNER(1)))
#endif

byte step[2];
inline less(v, n) { if :: v > n -> v = v - n :: else -> v = 0 fi }
inline more(v, n, top) { v = v + n; if :: v > top -> v = top :: else fi }
inline pace(x)
{
#ifdef DRIFT
	if
	:: phase == 0 -> if :: step[x] = 0 :: step[x] = 1 :: step[x] = 2 fi
	:: else -> step[x] = 1
	fi
#else
	step[x] = 1
#endif
}
inline age(x)
{
	less(granted[x], step[x]); less(voted[x], step[x]); less(promised[x], step[x]);
	less(quiet[x], step[x]);
	more(seen_age[x], step[x], WAIT);
	if :: swap[x] != IDLE -> more(swap_age[x], step[x], LW) :: else fi;
	if :: renewal[x] != IDLE -> more(renewal_age[x], step[x], LH);
		if :: renewal_age[x] >= LH -> renewal[x] = IDLE; renewal_age[x] = 0 :: else fi
	:: else fi;
	/* the word's age is by the clock of who will hear it */
	if :: word[OTHER(x)] != 0 -> more(word_age[OTHER(x)], step[x], LH);
#ifndef BUG_LATE_WORD
		if :: word_age[OTHER(x)] >= LH -> word[OTHER(x)] = 0; word_age[OTHER(x)] = 0 :: else fi
#endif
	:: else fi
}

/* Nobody may have seen what a register forgot: for WAIT it is as if the peer held it. */
inline look(x)
{
	if
#ifdef BUG_REVISION
	:: seen_rev[x] == rev && known[x] -> skip
#else
	:: seen_rev[x] == rev && seen_text[x] == text && known[x] -> skip
#endif
	:: else ->
		seen_age[x] = 0;
		if :: rev < seen_rev[x] -> seen_holder[x] = OTHER(x) :: else -> seen_holder[x] = holder fi;
#ifdef BUG_LOST_MEMORY
		seen_holder[x] = holder;
#endif
		seen_rev[x] = rev; seen_text[x] = text;
	fi;
	known[x] = true;
	/* its own swap, whose answer was lost: it counts from when it was sent */
	if
	:: swap[x] == APPLIED && applied_text[x] == text && swap_holder[x] == x && owns[x] &&
	   LW - swap_age[x] > voted[x] -> voted[x] = LW - swap_age[x]
	:: else
	fi
}

#ifdef BUG_NO_WAIT
#define MAY_TAKE(x) (known[x])
#else
#define MAY_TAKE(x) (known[x] && (seen_holder[x] != OTHER(x) || seen_age[x] >= WAIT))
#endif
#if defined(BUG_BLIND)
#define FITS(x) true
#elif defined(BUG_REVISION)
#define FITS(x) (rev == swap_rev[x])
#else
#define FITS(x) (rev == swap_rev[x] && text == swap_text[x])
#endif
#ifdef BUG_PROMISED
#define OWN_VOTE(x) (quiet[x] == 0)
#else
#define OWN_VOTE(x) (quiet[x] == 0 && (owns[x] || promised[x] == 0))
#endif

inline send_swap(x, whom)
{
	swap[x] = SENT; swap_rev[x] = seen_rev[x]; swap_text[x] = seen_text[x]; swap_holder[x] = whom; swap_age[x] = 0;
	given_up[x] = false; swaps++
}

inline end_swap(x)
{
	swap[x] = IDLE; swap_rev[x] = 0; swap_holder[x] = 0; swap_age[x] = 0; given_up[x] = false;
	swap_text[x] = 0; applied_rev[x] = 0; applied_text[x] = 0
}

/* What was under way to a server dies with the server that forgets; its sender does not know. */
inline dies_with_it(x)
{
	if
	:: swap[x] == SENT && !given_up[x] -> known[x] = false; end_swap(x)
	:: swap[x] == SENT && given_up[x] -> end_swap(x)
	:: else
	fi
}

/* What the peer handed over before it knew of this node's present role is void (PROTOCOL.md 6). */
#ifdef BUG_OLD_WORD
#define ROLE_CHANGES(x) skip
#else
#define ROLE_CHANGES(x) if :: word[OTHER(x)] == HANDED -> word[OTHER(x)] = 0; word_age[OTHER(x)] = 0 :: else fi
#endif

byte n;

init {
	d_step {
		seen_holder[0] = NOBODY; seen_holder[1] = NOBODY;
		owns[0] = true; granted[0] = LH; promised[1] = LG;
#ifdef HELD	/* it has the register's vote, too */
		rev = 1; text = 1; texts = 1; holder = 0; voted[0] = LW;
		seen_rev[0] = 1; seen_text[0] = 1; seen_holder[0] = 0; known[0] = true;
#endif
	}
	do
	:: atomic { /* time passes */
		pace(0); pace(1); age(0); age(1); step[0] = 0; step[1] = 0;
#ifdef DRIFT
		phase = (phase + 1) % 4;
#endif
		JUDGE }
	:: atomic { if :: n = 0 :: n = 1 fi;
		if
		/* an owner renews, the peer grants, the grant comes back; each may be lost */
		:: owns[n] && OWNER(n) && renewal[n] == IDLE -> renewal[n] = SENT; renewal_age[n] = 0
		:: renewal[n] == SENT ->
			if
			:: !owns[OTHER(n)] -> promised[OTHER(n)] = LG; renewal[n] = APPLIED
			:: renewal[n] = IDLE; renewal_age[n] = 0
			fi
		:: renewal[n] == APPLIED ->
#ifdef BUG_RECEIPT
			if :: owns[n] -> granted[n] = LH :: skip fi;
#else
			if
			:: owns[n] && LH - renewal_age[n] > granted[n] -> granted[n] = LH - renewal_age[n]
			:: skip
			fi;
#endif
			renewal[n] = IDLE; renewal_age[n] = 0
#ifdef BUG_SELF
		:: owns[n] && OWNER(n) -> granted[n] = LH
#endif
		/* over: it lets go */
		:: owns[n] && !OWNER(n) -> owns[n] = false; ROLE_CHANGES(n)
		/* the register */
		:: look(n)
		:: swap[n] == IDLE && swaps < SWAPS && MAY_TAKE(n) && OWN_VOTE(n) -> send_swap(n, n)
		:: swap[n] == IDLE && swaps < SWAPS && known[n] && seen_holder[n] == n &&
		   (!owns[n] || granted[n] > 0) ->
#ifndef BUG_FREE_LATE
			voted[n] = 0;
#endif
			send_swap(n, NOBODY)
		:: swap[n] == SENT ->	/* it arrives */
			if
			:: FITS(n) ->
				rev++; texts++; text = texts; holder = swap_holder[n];
				applied_rev[n] = rev; applied_text[n] = text; swap[n] = APPLIED
			:: else -> known[n] = false; end_swap(n)
			fi
		:: swap[n] == APPLIED && !given_up[n] ->	/* its answer arrives */
			seen_rev[n] = applied_rev[n]; seen_text[n] = applied_text[n]; seen_holder[n] = swap_holder[n]; seen_age[n] = 0;
			known[n] = true;
			if
			:: swap_holder[n] == n && OWN_VOTE(n) && swap_age[n] < LW ->
				if :: !owns[n] -> owns[n] = true; ROLE_CHANGES(n) :: else fi;
#ifdef BUG_ANSWER
				voted[n] = LW
#else
				if :: LW - swap_age[n] > voted[n] -> voted[n] = LW - swap_age[n] :: else fi
#endif
			:: else
			fi;
			end_swap(n)
		:: swap[n] != IDLE && !given_up[n] ->	/* nobody knows what became of it */
			given_up[n] = true; known[n] = false;
#ifdef BUG_UNKNOWN
			if :: swap_holder[n] == n && OWN_VOTE(n) -> owns[n] = true; voted[n] = LW - swap_age[n]
			:: else fi
#endif
		:: swap[n] == APPLIED && given_up[n] -> end_swap(n)
		/* it hands over: it lets go, and supports nobody else until its promise is over */
		:: owns[n] && !owns[OTHER(n)] && word[n] == 0 && quiet[OTHER(n)] == 0 ->
			owns[n] = false; granted[n] = 0; voted[n] = 0; promised[n] = LG; ROLE_CHANGES(n);
			word[n] = HANDED; word_age[n] = 0
		/* the process dies, and its last will is a word, too; the next one is silent first */
		:: crashes < CRASHES ->
			crashes++; owns[n] = false; granted[n] = 0; voted[n] = 0; promised[n] = 0;
			quiet[n] = Q; known[n] = false; seen_rev[n] = 0; seen_text[n] = 0; seen_holder[n] = NOBODY; seen_age[n] = 0;
			renewal[n] = IDLE; renewal_age[n] = 0;
			if :: swap[n] != IDLE -> given_up[n] = true :: else fi;
			word[n] = DIED; word_age[n] = 0
		/* a word is heard: what is left of the lease counts from what it acknowledged */
		:: word[n] != 0 && !owns[OTHER(n)] && quiet[OTHER(n)] == 0 ->
			owns[OTHER(n)] = true; promised[OTHER(n)] = 0;
#ifdef BUG_LATE_WORD
			granted[OTHER(n)] = LH;
#else
			granted[OTHER(n)] = LH - word_age[n];
#endif
			word[n] = 0; word_age[n] = 0
		:: word[n] != 0 -> word[n] = 0; word_age[n] = 0	/* or lost */
#if LOSSES > 0
		/* the register loses what both have seen; a loss that nobody could notice is out of scope */
		:: losses < LOSSES && rev > 0 && seen_rev[0] == rev && seen_rev[1] == rev ->
			losses++; rev = 0; text = 0; holder = NOBODY;
			dies_with_it(0); dies_with_it(1)
#endif
		fi; n = 0;
		JUDGE }
	od
}
