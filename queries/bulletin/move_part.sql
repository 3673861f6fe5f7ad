-- grain: one row per unit, line, indicator and cause; indicator '' for what is
--   no single row's
-- rule: what moved each line, in 10⁻⁶ of the unit's total: the parts of a line
--   scored in both months scaled to the total, and by rounding made up to
--   weight × change of the published score
-- build: month
with scaled as (
    select
        part.level,
        part.grid_id,
        part.line,
        part.indicator,
        part.cause,
        part.amount::hugeint * line.weight // line.shared_weight as amount
    from (
        select month, level, grid_id, line, indicator, cause, amount
        from bulletin.move_row
        union all
        select month, level, grid_id, line, indicator, cause, amount
        from bulletin.move_event
        union all
        select month, level, grid_id, line, indicator, 'events', amount
        from bulletin.move_limit
    ) as part
    inner join bulletin.move_line as line using (month, level, grid_id, line)
    where part.month = $month
),

known as (
    select
        scaled.level,
        scaled.grid_id,
        scaled.line,
        sum(scaled.amount) as amount
    from scaled
    group by scaled.level, scaled.grid_id, scaled.line
),

whole as (
    select
        line.level,
        line.grid_id,
        line.line,
        other.cause,
        other.amount
    from bulletin.move_line as line
    left join known using (level, grid_id, line)
    cross join lateral (
        values
            ('missing', line.missing::hugeint),
            ('rubric', line.rubric),
            ('rounding', line.amount - coalesce(known.amount, 0))
    ) as other(cause, amount)
    where line.month = $month
)

select
    $month as month,
    part.level,
    part.grid_id,
    part.line,
    part.indicator,
    part.cause,
    sum(part.amount)::bigint as amount
from (
    select level, grid_id, line, indicator, cause, amount
    from scaled
    union all
    select level, grid_id, line, '', cause, amount
    from whole
) as part
group by part.level, part.grid_id, part.line, part.indicator, part.cause
having sum(part.amount) <> 0
order by
    part.level, part.grid_id, part.line, part.indicator, part.cause
