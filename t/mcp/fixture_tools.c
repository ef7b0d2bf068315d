/* Tools that the conformance suite of the Model Context Protocol asks for by name. Linked with the
 * protocol's own code in place of the real ones, they make the worker that the suite is run
 * against. */
#include "../../mcp/tools.h"

#include "../../mcp/questions.h"

#include <string.h>
#include <time.h>

/* One pixel, and one sample. */
#define PNG                                                                                        \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+"                                \
    "M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
#define WAV "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

static const struct argument no_arguments[] = {{0}};
static const struct argument message_arguments[] = {
    {"message", NULL, ARGUMENT_TEXT, .help = "What to ask."}, {0}};

static void add(struct call *call, json_t *content)
{
    if (!call->more)
        call->more = json_array();
    json_array_append_new(call->more, content);
}

static json_t *resource(const char *uri, const char *type, const char *text)
{
    return json_pack("{s:s, s:{s:s, s:s, s:s}}", "type", "resource", "resource", "uri", uri,
                     "mimeType", type, "text", text);
}

static json_t *data(const char *type, const char *mime_type, const char *bytes)
{
    return json_pack("{s:s, s:s, s:s}", "type", type, "data", bytes, "mimeType", mime_type);
}

static void text(struct call *call)
{
    strbuf_add_text(&call->text, "This is a simple text response for testing.");
}

static void image(struct call *call)
{
    add(call, data("image", "image/png", PNG));
}

static void audio(struct call *call)
{
    add(call, data("audio", "audio/wav", WAV));
}

static void embedded(struct call *call)
{
    add(call, resource("test://embedded-resource", "text/plain",
                       "This is an embedded resource content."));
}

static void mixed(struct call *call)
{
    strbuf_add_text(&call->text, "Multiple content types test:");
    image(call);
    add(call, resource("test://mixed-content-resource", "application/json",
                       "{\"test\":\"data\",\"value\":123}"));
}

static void logging(struct call *call)
{
    address_log(&call->address, SEVERITY_INFO, "Tool execution started");
    address_log(&call->address, SEVERITY_INFO, "Tool processing data");
    address_log(&call->address, SEVERITY_INFO, "Tool execution completed");
    strbuf_add_text(&call->text, "logged");
}

static void progress(struct call *call)
{
    call_progress(call, 0, 100, "begun");
    call_progress(call, 50, 100, "half");
    call_progress(call, 100, 100, "done");
    strbuf_add_text(&call->text, "100");
}

static void failure(struct call *call)
{
    call_fail(call, CODE_FAILED, NULL, NULL,
              "This tool intentionally returns an error for testing");
}

static void ask(struct call *call)
{
    static const char *const said[] = {
        [ANSWER_YES] = "yes", [ANSWER_NO] = "no", [ANSWER_NOBODY] = "nobody"};
    const char *question = call_text(call, "message");
    enum answer answer = question_ask(call, question ? question : "May it?");
    strbuf_add_format(&call->text, "User response: %s", said[answer]);
}

/* Asks by its result and is called again with the answer. */
static void ask_name(struct call *call)
{
    json_t *answer = json_object_get(call->answers, "user_name");
    const char *name =
        json_string_value(json_object_get(json_object_get(answer, "content"), "name"));
    if (name)
        strbuf_add_format(&call->text, "Hello, %s!", name);
    else
        call->questions = json_pack("{s:{s:s, s:{s:s, s:{s:s, s:{s:{s:s}}, s:[s]}}}}", "user_name",
                                    "method", "elicitation/create", "params", "message",
                                    "What is your name?", "requestedSchema", "type", "object",
                                    "properties", "name", "type", "string", "required", "name");
}

#define TEXT "{\"type\":\"object\"}"

static const struct tool tools[] = {
    {"test_simple_text", "", "Text.", no_arguments, TEXT, TOOL_READS, text},
    {"test_image_content", "", "An image.", no_arguments, TEXT, TOOL_READS, image},
    {"test_audio_content", "", "A sound.", no_arguments, TEXT, TOOL_READS, audio},
    {"test_embedded_resource", "", "A resource.", no_arguments, TEXT, TOOL_READS, embedded},
    {"test_multiple_content_types", "", "All of it.", no_arguments, TEXT, TOOL_READS, mixed},
    {"test_tool_with_logging", "", "A log.", no_arguments, TEXT, TOOL_READS, logging},
    {"test_logging_tool", "", "A log.", no_arguments, TEXT, TOOL_READS, logging},
    {"test_tool_with_progress", "", "Progress.", no_arguments, TEXT, TOOL_READS, progress},
    {"test_error_handling", "", "A failure.", no_arguments, TEXT, TOOL_READS, failure},
    {"test_elicitation", "", "A question.", message_arguments, TEXT, TOOL_READS, ask},
    {"test_input_required_result_elicitation", "", "A name.", no_arguments, TEXT, TOOL_READS,
     ask_name},
    {"test_streaming_elicitation", "", "A question.", no_arguments, TEXT, TOOL_READS, ask},
};

#define TOOLS (sizeof(tools) / sizeof(tools[0]))

size_t tools_count(void)
{
    return TOOLS;
}

/* They have no structured results, and so no schema of any. */
json_t *tools_describe(size_t at, bool annotations, bool structured)
{
    (void)annotations;
    (void)structured;
    return json_pack("{s:s, s:s, s:o}", "name", tools[at].name, "description",
                     tools[at].description, "inputSchema", arguments_schema(tools[at].arguments));
}

const struct tool *tools_find(const char *name, json_t **preset)
{
    *preset = NULL;
    for (size_t i = 0; i < TOOLS; i++)
        if (strcmp(tools[i].name, name) == 0)
            return &tools[i];
    return NULL;
}
