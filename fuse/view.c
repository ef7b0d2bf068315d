#include "view.h"

struct view *view_share(struct view *view)
{
    pthread_rwlock_rdlock(&view->move_lock);
    return view;
}

struct view *view_alone(struct view *view)
{
    pthread_rwlock_wrlock(&view->move_lock);
    return view;
}

void view_unlock(struct view **view)
{
    pthread_rwlock_unlock(&(*view)->move_lock);
}

struct view *view_share_rules(struct view *view)
{
    pthread_rwlock_rdlock(&view->rules_lock);
    return view;
}

void view_unlock_rules(struct view **view)
{
    pthread_rwlock_unlock(&(*view)->rules_lock);
}
