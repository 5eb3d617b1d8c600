#include "etcd_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEDGE_MS 30
#define BODY_BYTES_MAX (64 * 1024)
#define LOOK_MS 1000

struct request;

/* One copy of a request, at one endpoint. */
struct copy {
	struct request *request;
	size_t endpoint;
	enum etcd_call call;	/* AUTHENTICATE comes first where a token is wanted */
	bool renewed;		/* its token was refused once */
	CURL *curl;		/* NULL = not sent, or over */
	struct curl_slist *headers;
	char *body;
	char error[CURL_ERROR_SIZE];
	size_t length;
	char answer[BODY_BYTES_MAX];
};

struct request {
	int64_t id;		/* 0 = this place is free */
	enum etcd_call call;
	char *body;
	char *value;		/* of a swap */
	int64_t deadline_ms;
	int64_t hedge_ms;	/* when the next copy is sent */
	size_t sent;		/* copies, to endpoints from `first` on */
	size_t first;
	char error[ETCD_ERROR_BYTES];
	struct copy *copies[ETCD_ENDPOINTS_MAX];
};

struct etcd_client {
	const struct etcd_settings *settings;
	etcd_handler handler;
	CURLM *multi;
	size_t good;		/* the endpoint that answered last */
	char *token;
	bool troubled[ETCD_ENDPOINTS_MAX];	/* and it was said */
	struct request requests[ETCD_REQUESTS_MAX];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* An endpoint's trouble is told when it begins and when it is over, not with every request. */
static void note_trouble(struct etcd_client *client, size_t endpoint, const char *error)
{
	bool troubled = error != NULL;

	if (troubled == client->troubled[endpoint])
		return;
	client->troubled[endpoint] = troubled;
	fprintf(stderr, "%s %s\n", client->settings->endpoints[endpoint],
		troubled ? error : "answers again");
}

/* ---- copies ------------------------------------------------------------------------------------- */

static size_t take_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct copy *copy = context;

	if (size * count > sizeof(copy->answer) - copy->length)
		return 0;
	memcpy(copy->answer + copy->length, bytes, size * count);
	copy->length += size * count;
	return size * count;
}

static void end_copy(struct etcd_client *client, struct copy *copy)
{
	if (copy->curl) {
		curl_multi_remove_handle(client->multi, copy->curl);
		curl_easy_cleanup(copy->curl);
	}
	curl_slist_free_all(copy->headers);
	free(copy->body);
	copy->curl = NULL;
	copy->headers = NULL;
	copy->body = NULL;
}

static void end_request(struct etcd_client *client, struct request *request)
{
	for (size_t i = 0; i < request->sent; i++) {
		end_copy(client, request->copies[i]);
		free(request->copies[i]);
	}
	free(request->body);
	free(request->value);
	*request = (struct request){ 0 };
}

static void set_options(const struct etcd_client *client, struct copy *copy, const char *body)
{
	const struct etcd_settings *settings = client->settings;
	int64_t left_ms = copy->request->deadline_ms - now_ms();
	CURL *curl = copy->curl;
	char url[512];

	snprintf(url, sizeof(url), "%s%s", settings->endpoints[copy->endpoint], etcd_path(copy->call));
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "hbd/" HBD_VERSION);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(left_ms > 1 ? left_ms : 1));
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, copy->error);
	curl_easy_setopt(curl, CURLOPT_PRIVATE, copy);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, copy);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, copy->headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	if (settings->ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, settings->ca);
	if (settings->cert) {
		curl_easy_setopt(curl, CURLOPT_SSLCERT, settings->cert);
		curl_easy_setopt(curl, CURLOPT_SSLKEY, settings->key);
	}
}

/* The call itself, or before it the one that gets a token. */
static void send_copy(struct etcd_client *client, struct copy *copy)
{
	const struct etcd_settings *settings = client->settings;
	char header[512];

	end_copy(client, copy);
	copy->call = settings->user && !client->token ? ETCD_AUTHENTICATE : copy->request->call;
	copy->length = 0;
	copy->error[0] = '\0';
	copy->curl = curl_easy_init();
	copy->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (client->token && copy->call != ETCD_AUTHENTICATE) {
		snprintf(header, sizeof(header), "Authorization: %.400s", client->token);
		copy->headers = curl_slist_append(copy->headers, header);
	}
	copy->body = copy->call == ETCD_AUTHENTICATE ?
		     etcd_authenticate_body(settings->user, settings->password) :
		     strdup(copy->request->body);
	if (!copy->curl || !copy->headers || !copy->body)
		exit(EXIT_FAILURE);
	set_options(client, copy, copy->body);
	curl_multi_add_handle(client->multi, copy->curl);
}

static void send_next(struct etcd_client *client, struct request *request)
{
	size_t count = client->settings->endpoint_count;
	struct copy *copy;

	if (request->sent == count)
		return;
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		exit(EXIT_FAILURE);
	copy->request = request;
	copy->endpoint = (request->first + request->sent) % count;
	request->copies[request->sent++] = copy;
	request->hedge_ms = now_ms() + (int64_t)HEDGE_MS * (1 << (request->sent - 1));
	send_copy(client, copy);
}

/* ---- answers ------------------------------------------------------------------------------------ */

static bool any_copy_runs(const struct request *request)
{
	for (size_t i = 0; i < request->sent; i++)
		if (request->copies[i]->curl)
			return true;
	return false;
}

static void fail_request(struct etcd_client *client, struct request *request, const char *error)
{
	struct etcd_answer answer = { .result = ETCD_FAILED };

	snprintf(answer.error, sizeof(answer.error), "%s", error);
	client->handler(request->id, request->call, &answer);
	end_request(client, request);
}

/* This copy is over without an answer: the next endpoint, or all have failed. */
static void fail_copy(struct etcd_client *client, struct copy *copy, const char *error)
{
	struct request *request = copy->request;

	note_trouble(client, copy->endpoint, error);
	snprintf(request->error, sizeof(request->error), "%.90s: %.100s",
		 client->settings->endpoints[copy->endpoint], error);
	end_copy(client, copy);
	if (request->sent < client->settings->endpoint_count)
		send_next(client, request);
	else if (!any_copy_runs(request))
		fail_request(client, request, request->error);
}

static void take_token(struct etcd_client *client, struct copy *copy, struct etcd_answer *answer)
{
	free(client->token);
	client->token = answer->value;
	answer->value = NULL;
	send_copy(client, copy);
}

static void renew_token(struct etcd_client *client, struct copy *copy, const char *error)
{
	if (copy->renewed || !client->settings->user) {
		fail_copy(client, copy, error);
		return;
	}
	copy->renewed = true;
	free(client->token);
	client->token = NULL;
	send_copy(client, copy);
}

static void take_answer(struct etcd_client *client, struct copy *copy)
{
	struct request *request = copy->request;
	struct etcd_answer answer;
	long status = 0;

	curl_easy_getinfo(copy->curl, CURLINFO_RESPONSE_CODE, &status);
	etcd_parse(copy->call, status, copy->answer, copy->length, request->value, &answer);
	switch (answer.result) {
	case ETCD_SHOWN:
	case ETCD_SWAPPED:
		note_trouble(client, copy->endpoint, NULL);
		client->good = copy->endpoint;
		client->handler(request->id, request->call, &answer);
		end_request(client, request);
		break;
	case ETCD_TOKEN:
		take_token(client, copy, &answer);
		break;
	case ETCD_TOKEN_REFUSED:
		renew_token(client, copy, answer.error);
		break;
	case ETCD_FAILED:
		fail_copy(client, copy, answer.error);
		break;
	}
	etcd_answer_clear(&answer);
}

static void take_ended(struct etcd_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct copy *copy;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &copy);
		if (code == CURLE_OK)
			take_answer(client, copy);
		else
			fail_copy(client, copy, copy->error[0] ? copy->error
								: curl_easy_strerror(code));
	}
}

/* ---- the caller's side -------------------------------------------------------------------------- */

struct etcd_client *etcd_client_new(const struct etcd_settings *settings, etcd_handler handler)
{
	struct etcd_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->settings = settings;
	client->handler = handler;
	client->multi = curl_multi_init();
	if (client->multi)
		return client;
	free(client);
	return NULL;
}

void etcd_client_free(struct etcd_client *client)
{
	for (size_t i = 0; i < ETCD_REQUESTS_MAX; i++)
		end_request(client, &client->requests[i]);
	curl_multi_cleanup(client->multi);
	free(client->token);
	free(client);
}

static struct request *free_place(struct etcd_client *client)
{
	for (size_t i = 0; i < ETCD_REQUESTS_MAX; i++)
		if (client->requests[i].id == 0)
			return &client->requests[i];
	return NULL;
}

bool etcd_client_begin(struct etcd_client *client, int64_t id, enum etcd_call call, const char *key,
		       int64_t revision, const char *expected, const char *value)
{
	struct request *request = free_place(client);

	if (!request)
		return false;
	*request = (struct request){
		.id = id,
		.call = call,
		.body = call == ETCD_SWAP ? etcd_swap_body(key, revision, expected, value)
					  : etcd_read_body(key),
		.value = value ? strdup(value) : NULL,
		.first = client->good,
		.deadline_ms = now_ms() + client->settings->timeout_ms,
	};
	if (!request->body || (value && !request->value))
		exit(EXIT_FAILURE);
	send_next(client, request);
	return true;
}

/* Sends further copies and gives up what took too long; milliseconds until there is more to do. */
static int keep_time(struct etcd_client *client)
{
	int64_t now = now_ms(), next = now + LOOK_MS;

	for (size_t i = 0; i < ETCD_REQUESTS_MAX; i++) {
		struct request *request = &client->requests[i];

		if (request->id == 0)
			continue;
		if (now >= request->deadline_ms) {
			fail_request(client, request, request->error[0] ? request->error
									 : "no answer in time");
			continue;
		}
		if (request->sent < client->settings->endpoint_count && now >= request->hedge_ms)
			send_next(client, request);
		if (request->sent < client->settings->endpoint_count && request->hedge_ms < next)
			next = request->hedge_ms;
		if (request->deadline_ms < next)
			next = request->deadline_ms;
	}
	return next > now ? (int)(next - now) : 0;
}

int etcd_client_poll(struct etcd_client *client, int fd)
{
	struct curl_waitfd input = { .fd = fd, .events = CURL_WAIT_POLLIN };
	int running;

	curl_multi_perform(client->multi, &running);
	take_ended(client);
	if (curl_multi_poll(client->multi, &input, 1, keep_time(client), NULL) != CURLM_OK)
		return -1;
	return input.revents != 0;
}
