-- grain: one row per grid
-- rule: CG7 sites with 5 or more complaints of disorder in the month, of which
--   one at least is not settled at its end; a site counts once, at the grid
--   that has most of its complaints (the lowest code of equals)
-- cohort: month-end
with complaint as (
    select
        ticket.site_key,
        ticket.grid_id,
        count(*) as complaints,
        count(*) filter (ticket.settled_at is null) as unsettled
    from core.month_ticket as ticket
    where ticket.month = $month
        and ticket.is_reported
        and ticket.kind = 'disorder'
        and ticket.site_key is not null
        and not ticket.is_excluded
        and not list_contains(ticket.excluded_for, 'cg7')
    group by ticket.site_key, ticket.grid_id
),

site as (
    select
        complaint.site_key,
        arg_min(
            complaint.grid_id, (-complaint.complaints, complaint.grid_id)
        ) as grid_id
    from complaint
    group by complaint.site_key
    having sum(complaint.complaints) >= 5
        and sum(complaint.unsettled) > 0
)

select
    site.grid_id,
    'site' as part,
    null::date as day,
    count(*)::bigint as numerator,
    null::bigint as denominator
from site
group by site.grid_id
order by site.grid_id
