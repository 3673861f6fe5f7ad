-- grain: one row per matter for the coordination meeting
-- rule: what tickets put to it (coordination_ticket) and overdue repairs by kind;
--   who is charged: the line and the community; until when: 5 working days from
--   the cut-off
-- build: month
with due_day as (
    select min(later.day) as day
    from core.month_info as info
    inner join seed.calendar as cutoff
        on (info.cutoff_at - interval 1 day)::date = cutoff.day
    inner join seed.calendar as later
        on cutoff.working_day_no + 5 = later.working_day_no
        and later.is_working
    where info.month = $month
),

repair as (
    select
        community.name as community,
        repair.kind as subject,
        count(*) as cases
    from core.month_repair as repair
    inner join core.month_unit as unit
        on repair.grid_id = unit.grid_id
        and unit.month = $month
    left join core.month_unit as community
        on unit.community_id = community.grid_id
        and community.month = $month
    where repair.month = $month
        and repair.is_overdue_open
        and not repair.is_excluded
    group by community.name, repair.kind
),

matter as (
    select kind, community, line_name, subject, cases
    from bulletin.coordination_ticket
    where month = $month
    union all
    select
        'repair',
        repair.community,
        name.name,
        repair.subject,
        repair.cases
    from repair
    inner join seed.line as name
        on name.line = 'property'
)

select
    $month as month,
    row_number() over (
        order by
            list_position(
                ['overdue', 'repeated', 'boundary', 'hung', 'repair'], matter.kind
            ),
            matter.cases desc, matter.community, matter.line_name, matter.subject
    ) as position,
    matter.kind,
    matter.community,
    matter.line_name as line,
    matter.subject,
    matter.cases,
    due_day.day as until
from matter
cross join due_day
order by position
