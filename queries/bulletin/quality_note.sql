-- grain: one row per remark on the data
-- rule: late facts and sources, exclusions by reason, lines not delivered, units without a
--   place, points on small or borrowed samples by line
-- build: month
with note as (
    select
        1 as rank_key,
        'late_ticket' as kind,
        '' as subject,
        count(*) filter (ticket.is_late) as cases
    from core.month_ticket as ticket
    where ticket.month = $month
    union all
    select 2, 'late_repair', '', count(*) filter (repair.is_late)
    from core.month_repair as repair
    where repair.month = $month
    union all
    select 3, 'late_return', name.name, count(*)
    from core.month_return as returned
    inner join seed.line as name
        on returned.line = name.line
    where returned.month = $month
        and returned.is_late
    group by name.name
    union all
    select 4, 'excluded', ticket.exclusion_reason, count(*)
    from core.month_ticket as ticket
    where ticket.month = $month
        and ticket.is_excluded
        and (ticket.is_reported or ticket.is_due)
    group by ticket.exclusion_reason
    union all
    select 5, 'not_reported', name.name || ' ' || unit.name, 1
    from score.line as line
    inner join seed.line as name
        on line.line = name.line
    inner join core.month_unit as unit
        on line.grid_id = unit.grid_id
        and unit.month = $month
    where line.month = $month
        and line.level = 2
        and line.state = 'not_reported'
    union all
    select 6, 'unranked', unit.path, 1
    from ranking.total as ranking
    inner join core.month_unit as unit
        on ranking.grid_id = unit.grid_id
        and unit.month = $month
    where ranking.month = $month
        and ranking.level < 4
        and ranking.place is null
    union all
    select 7, 'small_sample', name.name, count(*)
    from score.points as points
    inner join seed.line as name
        on points.line = name.line
    where points.month = $month
        and points.level = 2
        and points.state in ('pooled', 'no_sample')
    group by name.name
    union all
    -- The sources whose delivery the run found late (due of the definition).
    select 8, 'source_late', source_due.name, 1
    from seed.source_due as source_due
    where source_due.month = $month
)

select
    $month as month,
    row_number() over (order by note.rank_key, note.cases desc, note.subject) as position,
    note.kind,
    note.subject,
    note.cases
from note
where note.cases > 0
order by position
