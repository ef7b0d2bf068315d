#include "arguments.h"

#include "scopefs/mem.h"

#include <string.h>

/* --- The schema --- */

static json_t *text_schema(void)
{
    return json_pack("{s:s}", "type", "string");
}

static json_t *edit_schema(void)
{
    return json_pack("{s:s, s:{s:o, s:o, s:{s:s}}, s:[s, s]}", "type", "object", "properties",
                     "old_string", text_schema(), "new_string", text_schema(), "replace_all",
                     "type", "boolean", "required", "old_string", "new_string");
}

static json_t *list_schema(const struct argument *argument, json_t *items)
{
    json_t *schema = json_pack("{s:s, s:o}", "type", "array", "items", items);
    if (argument->minimum)
        json_object_set_new(schema, "minItems", json_integer(argument->minimum));
    if (argument->maximum)
        json_object_set_new(schema, "maxItems", json_integer(argument->maximum));
    return schema;
}

static json_t *number_schema(const struct argument *argument, const char *type)
{
    return json_pack("{s:s, s:I, s:I}", "type", type, "minimum", (json_int_t)argument->minimum,
                     "maximum", (json_int_t)argument->maximum);
}

static json_t *choice_schema(const struct argument *argument)
{
    json_t *schema = json_pack("{s:s, s:[]}", "type", "string", "enum");
    for (const char *const *choice = argument->choices; *choice; choice++)
        json_array_append_new(json_object_get(schema, "enum"), json_string(*choice));
    return schema;
}

static json_t *type_schema(const struct argument *argument)
{
    switch (argument->type) {
    case ARGUMENT_PATH:
        return json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
    case ARGUMENT_WHOLE:
        return number_schema(argument, "integer");
    case ARGUMENT_NUMBER:
        return number_schema(argument, "number");
    case ARGUMENT_FLAG:
        return json_pack("{s:s}", "type", "boolean");
    case ARGUMENT_CHOICE:
        return choice_schema(argument);
    case ARGUMENT_TEXTS:
    case ARGUMENT_PATHS:
        return list_schema(argument, text_schema());
    case ARGUMENT_VARIABLES:
        return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", text_schema());
    case ARGUMENT_EDITS:
        return list_schema(argument, edit_schema());
    case ARGUMENT_TEXT:
        break;
    }
    return text_schema();
}

json_t *arguments_schema(const struct argument *arguments)
{
    json_t *required = json_array();
    json_t *schema = json_pack("{s:s, s:{}}", "type", "object", "properties");
    for (; arguments->name; arguments++) {
        json_t *one = type_schema(arguments);
        json_object_set_new(one, "description", json_string(arguments->help));
        if (arguments->fallback)
            json_object_set_new(one, "default",
                                json_loads(arguments->fallback, JSON_DECODE_ANY, NULL));
        json_object_set_new(json_object_get(schema, "properties"), arguments->name, one);
        if (arguments->is_required)
            json_array_append_new(required, json_string(arguments->name));
    }
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_decref(required);
    return schema;
}

/* --- The check: each returns what is wrong, or NULL --- */

static const char *check_path(const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) == 0)
        return "is a text that is not empty";
    if (strlen(json_string_value(value)) != json_string_length(value))
        return "has no NUL in it";
    return NULL;
}

static const char *check_choice(const struct argument *argument, const json_t *value)
{
    for (const char *const *choice = argument->choices; json_is_string(value) && *choice; choice++)
        if (strcmp(*choice, json_string_value(value)) == 0)
            return NULL;
    return "is none of the choices that the schema has";
}

static const char *check_range(const struct argument *argument, json_t *value)
{
    double number = json_number_value(value);
    if (!json_is_number(value) || (argument->type == ARGUMENT_WHOLE && !json_is_integer(value)))
        return argument->type == ARGUMENT_WHOLE ? "is a whole number" : "is a number";
    if (number < (double)argument->minimum || number > (double)argument->maximum)
        return "is out of the range that the schema has";
    return NULL;
}

static const char *check_list(const struct argument *argument, json_t *value)
{
    size_t index;
    json_t *item;
    if (!json_is_array(value))
        return "is a list of texts";
    if (json_array_size(value) < (size_t)argument->minimum ||
        (argument->maximum && json_array_size(value) > (size_t)argument->maximum))
        return "has more or fewer items than the schema allows";
    json_array_foreach(value, index, item)
    {
        if (argument->type == ARGUMENT_PATHS && check_path(item))
            return "is a list of paths";
        if (!json_is_string(item))
            return "is a list of texts";
    }
    return NULL;
}

static const char *check_variables(json_t *value)
{
    const char *name;
    json_t *item;
    if (!json_is_object(value))
        return "is an object";
    json_object_foreach(value, name, item)
    {
        if (!json_is_string(item) || strlen(json_string_value(item)) != json_string_length(item))
            return "has texts without NULs for its values";
        if (!*name || strchr(name, '='))
            return "has a name that no variable can have";
    }
    return NULL;
}

/* Renames `also` to `name` in an object. */
static void rename_member(json_t *object, const char *also, const char *name)
{
    json_t *value = json_object_get(object, also);
    if (value && !json_object_get(object, name))
        json_object_set(object, name, value);
}

static const char *check_edits(const struct argument *argument, json_t *value)
{
    size_t index;
    json_t *edit;
    if (!json_is_array(value) || json_array_size(value) < (size_t)argument->minimum ||
        json_array_size(value) > (size_t)argument->maximum)
        return "is a list of edits";
    json_array_foreach(value, index, edit)
    {
        rename_member(edit, "oldText", "old_string");
        rename_member(edit, "newText", "new_string");
        json_t *all = json_object_get(edit, "replace_all");
        if (!json_is_string(json_object_get(edit, "old_string")) ||
            !json_is_string(json_object_get(edit, "new_string")) || (all && !json_is_boolean(all)))
            return "has edits with the texts old_string and new_string";
    }
    return NULL;
}

static const char *check_value(const struct argument *argument, json_t *value)
{
    switch (argument->type) {
    case ARGUMENT_TEXT:
        return json_is_string(value) ? NULL : "is a text";
    case ARGUMENT_PATH:
        return check_path(value);
    case ARGUMENT_WHOLE:
    case ARGUMENT_NUMBER:
        return check_range(argument, value);
    case ARGUMENT_FLAG:
        return json_is_boolean(value) ? NULL : "is true or false";
    case ARGUMENT_CHOICE:
        return check_choice(argument, value);
    case ARGUMENT_TEXTS:
    case ARGUMENT_PATHS:
        return check_list(argument, value);
    case ARGUMENT_VARIABLES:
        return check_variables(value);
    case ARGUMENT_EDITS:
        return check_edits(argument, value);
    }
    return "is of no known type";
}

static json_t *given_value(const struct argument *argument, json_t *given)
{
    json_t *value = json_object_get(given, argument->name);
    if (!value && argument->also)
        value = json_object_get(given, argument->also);
    return json_is_null(value) ? NULL : value;
}

static bool is_known(const struct argument *arguments, const char *name)
{
    for (; arguments->name; arguments++)
        if (strcmp(arguments->name, name) == 0 ||
            (arguments->also && strcmp(arguments->also, name) == 0))
            return true;
    return false;
}

static bool check_names(const struct argument *arguments, json_t *given, struct strbuf *complaint)
{
    const char *name;
    json_t *value;
    json_object_foreach(given, name, value)
    {
        if (is_known(arguments, name))
            continue;
        strbuf_add_format(complaint, "there is no argument '%s'; there are:", name);
        for (const struct argument *known = arguments; known->name; known++)
            strbuf_add_format(complaint, " %s", known->name);
        return false;
    }
    return true;
}

/* Sets the argument in `checked`; what is wrong, or NULL. */
static const char *take(const struct argument *argument, json_t *given, json_t *preset,
                        json_t *checked)
{
    json_t *value = given_value(argument, given);
    if (value) {
        const char *wrong = check_value(argument, value);
        if (!wrong)
            json_object_set(checked, argument->name, value);
        return wrong;
    }
    if (argument->is_required)
        return "is missing";
    value = json_object_get(preset, argument->name);
    if (value)
        json_object_set(checked, argument->name, value);
    else if (argument->fallback)
        json_object_set_new(checked, argument->name,
                            json_loads(argument->fallback, JSON_DECODE_ANY, NULL));
    return NULL;
}

json_t *arguments_check(const struct argument *arguments, json_t *given, json_t *preset,
                        struct strbuf *complaint)
{
    json_t *checked = json_object();
    if (given && !check_names(arguments, given, complaint)) {
        json_decref(checked);
        return NULL;
    }
    for (const struct argument *argument = arguments; argument->name; argument++) {
        const char *wrong = take(argument, given, preset, checked);
        if (!wrong)
            continue;
        strbuf_add_format(complaint, "the argument '%s' %s", argument->name, wrong);
        json_decref(checked);
        return NULL;
    }
    return checked;
}
