/* What cppcheck cannot know, as it reads no system headers. */
#define noreturn _Noreturn
#define json_array_foreach(array, index, value)                                                    \
    for (index = 0; (value = json_array_get(array, index)); index++)
#define json_object_foreach(object, key, value)                                                    \
    for (key = json_key(object); key && (value = json_object_get(object, key));                    \
         key = json_key(object))
